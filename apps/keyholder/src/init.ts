import { mkdirSync } from "node:fs";
import { createKeyFile } from "@tipstaff/sealing";
import { filesOf } from "./folder.ts";
import { createSecrets, openForceKeys } from "./force-keys.ts";
import { appendJournal } from "./journal/journal.ts";
import { writeSetting } from "./settings.ts";
import { createStore, openStore } from "./store/store.ts";

export type InitOptions = {
  readonly folder: string;
  readonly force: string;
  /** The log's origin, for ever: its checkpoints' first line, and the name of the key that signs them. */
  readonly origin: string;
  readonly passphrase: string | undefined;
  readonly forbiddenFolders: readonly string[];
  readonly now: Date;
};

/** Makes a new keyholder: key file, store, secrets. Refuses where either is; nothing is ever replaced. */
export async function initKeyholder(
  options: InitOptions,
): Promise<{ logVerifierKey: string; forceVerifierKey: string }> {
  const { force, origin, passphrase, forbiddenFolders, now } = options;
  if (origin === force) throw new Error("the log's origin is the name of its key, which must not be the force's own");
  const files = filesOf(options.folder);
  mkdirSync(files.folder, { recursive: true, mode: 0o700 });
  const place = { path: files.keyFile, forbiddenFolders, ...(passphrase === undefined ? {} : { passphrase }) };
  const key = await createKeyFile(place);
  createStore(files.store, (store) => {
    createSecrets(store, key);
    writeSetting(store, "force", force);
    writeSetting(store, "origin", origin);
    writeSetting(store, "forbidden-folders", JSON.stringify(forbiddenFolders));
    appendJournal(store, { at: now, what: "initialised", detail: { force, origin } });
  });
  const store = openStore(files.store);
  try {
    const { checkpointSigner, forceSigner } = openForceKeys(store, { key, force, origin });
    return { logVerifierKey: checkpointSigner.verifierKey, forceVerifierKey: forceSigner.verifierKey };
  } finally {
    store.close();
  }
}
