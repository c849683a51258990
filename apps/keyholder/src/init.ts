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
  readonly passphrase: string | undefined;
  readonly forbiddenFolders: readonly string[];
  readonly now: Date;
};

/** Makes a new keyholder: key file, store, secrets. Refuses where either is; nothing is ever replaced. */
export async function initKeyholder(
  options: InitOptions,
): Promise<{ logVerifierKey: string; forceVerifierKey: string }> {
  const { force, passphrase, forbiddenFolders, now } = options;
  const files = filesOf(options.folder);
  mkdirSync(files.folder, { recursive: true, mode: 0o700 });
  const place = { path: files.keyFile, forbiddenFolders, ...(passphrase === undefined ? {} : { passphrase }) };
  const key = await createKeyFile(place);
  createStore(files.store, (store) => {
    createSecrets(store, key);
    writeSetting(store, "force", force);
    writeSetting(store, "forbidden-folders", JSON.stringify(forbiddenFolders));
    appendJournal(store, { at: now, what: "initialised", detail: { force } });
  });
  const store = openStore(files.store);
  try {
    const { checkpointSigner, forceSigner } = openForceKeys(store, { key, force });
    return { logVerifierKey: checkpointSigner.verifierKey, forceVerifierKey: forceSigner.verifierKey };
  } finally {
    store.close();
  }
}
