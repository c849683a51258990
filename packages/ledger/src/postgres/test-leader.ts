/** A leader in a process of its own, to be killed: argv holds the database and the folders as JSON. */
import pg from "pg";
import { createFolderStorage } from "../storage/folder-storage.ts";
import { createSequencer } from "./index.ts";
import { createTestSigner, testOrigin, testVerifierKeys } from "./test-log.ts";

const { database, tiles, openings, signer } = JSON.parse(process.argv[2] ?? "{}");
const pool = new pg.Pool(database);
pool.on("error", () => undefined);
const sequencer = createSequencer({
  pool,
  tiles: createFolderStorage(tiles),
  openings: createFolderStorage(openings),
  origin: testOrigin,
  verifierKeys: testVerifierKeys,
  sign: createTestSigner(signer),
  onError: (error) => process.stderr.write(`${error}\n`),
});
sequencer.start();
setInterval(() => process.stdout.write(`${sequencer.state()}\n`), 20);
