/** A leader that ends, or freezes, itself at a named moment: argv holds the database, the folders and the moment as JSON. */
import pg from "pg";
import { createWitnessClient, parsePolicy, type WitnessClient } from "../index.ts";
import { createFolderStorage } from "../storage/folder-storage.ts";
import type { LogStorage } from "../storage/tile-storage.ts";
import { appendIntake, createSequencer, type SignRequest } from "./index.ts";
import { entriesOf } from "./test-cells.ts";
import { createTestSigner, testOrigin, testVerifierKeys } from "./test-log.ts";

const {
  database,
  signer,
  moment,
  signal = "SIGKILL",
  idleSessionMs,
  policy,
  ...folders
} = JSON.parse(process.argv[2] ?? "{}");
const pool = new pg.Pool(database);
pool.on("error", () => undefined);

let reached = false;
const at = (here: string): void => {
  if (reached || here !== moment) return;
  reached = true;
  process.kill(process.pid, signal);
};

const tiles: LogStorage = createFolderStorage(folders.tiles);
const openings: LogStorage = createFolderStorage(folders.openings);
const sign = createTestSigner(signer);

if (moment === "intake") {
  const client = await pool.connect();
  await client.query("begin");
  await appendIntake(client, entriesOf("killed at intake", 70));
  await client.query("commit");
  at("intake");
}
const client =
  policy && createWitnessClient({ policy: parsePolicy(new TextEncoder().encode(policy)), deadlineMs: 10_000 });
const witnesses: WitnessClient | undefined = client && {
  ...client,
  cosign: async (request) => {
    const result = await client.cosign(request);
    at("witnessed");
    return result;
  },
};
const sequencer = createSequencer({
  pool,
  origin: testOrigin,
  verifierKeys: testVerifierKeys,
  idleSessionMs,
  ...(witnesses ? { witnesses } : {}),
  openings: {
    ...openings,
    writeOnce: async (files) => {
      at("sequenced");
      await openings.writeOnce(files);
      at("openings");
    },
  },
  tiles: {
    ...tiles,
    writeOnce: async (files) => {
      const half = files.slice(0, Math.ceil(files.length / 2));
      if (moment === "deriving") await tiles.writeOnce(half);
      at("deriving");
      await tiles.writeOnce(files);
      at("derived");
    },
    replace: async (file) => {
      at("publishing");
      await tiles.replace(file);
      at("published");
    },
    dropPartials: async (paths) => {
      at("clearing");
      await tiles.dropPartials(paths);
    },
  },
  sign: async (request: SignRequest) => {
    at("signing");
    const note = await sign(request);
    at("signed");
    return note;
  },
  onError: (error) => process.stderr.write(`${error}\n`),
});
sequencer.start();
let last = "";
setInterval(() => {
  if (sequencer.state() !== last) process.stdout.write(`${sequencer.state()}\n`);
  last = sequencer.state();
}, 20);
