// Started as a process of its own: node test-witness.ts FOLDER NAME LOG-KEY...
import { parseVerifierKey } from "../index.ts";
import { testKey } from "../test-entries.ts";
import { createWitnessServer, createWitnessStore, hasWitnessStore, openWitness, serveWitness } from "./index.ts";

const [folder = "", name = "", ...logs] = process.argv.slice(2);
if (!hasWitnessStore(folder)) createWitnessStore(folder, { name, seed: testKey(name), algorithm: "ed25519" });
const keys = logs.map(parseVerifierKey);
const witness = openWitness({ folder, logs: keys.map((key) => ({ origin: key.name, keys: [key] })) });
const server = createWitnessServer(serveWitness(witness));
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  process.stdout.write(`${typeof address === "object" ? address?.port : ""} ${witness.verifierKey}\n`);
});
