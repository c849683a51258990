import { createNoteSigner } from "@tipstaff/ledger";
import { deriveWrappingKey, systemRandom, unwrapSecret, wrapSecret } from "@tipstaff/sealing";
import { type ForceKeys, SECRET_USES, type SecretUse } from "./keyholder.ts";
import { bytesOf } from "./store/columns.ts";
import type { Store } from "./store/store.ts";

const nameOf = (use: SecretUse): string => `secret/${use}`;

/** Makes the force's secrets, each wrapped under its own name. */
export function createSecrets(store: Store, keyEncryptionKey: Uint8Array): void {
  const wrapping = deriveWrappingKey(keyEncryptionKey);
  for (const use of SECRET_USES) {
    const wrapped = wrapSecret(wrapping, nameOf(use), systemRandom(32));
    store.run("insert into secret (name, wrapped) values (?, ?)", nameOf(use), wrapped);
  }
}

/** Opens the force's secrets; throws SealingError `not-authentic` under another key file than the store's. */
export function openForceKeys(
  store: Store,
  { key, force, origin }: { key: Uint8Array; force: string; origin: string },
): ForceKeys {
  const wrapping = deriveWrappingKey(key);
  const open = (use: SecretUse): Uint8Array => {
    const row = store.get("select wrapped from secret where name = ?", nameOf(use));
    if (row === undefined) throw new Error(`the store lacks the secret "${use}": restore it from its copy`);
    return unwrapSecret(wrapping, nameOf(use), bytesOf(row, "wrapped"));
  };
  return {
    wrapping,
    log: open("log"),
    operation: open("operation"),
    pseudonym: open("pseudonym"),
    index: open("index"),
    fingerprint: open("fingerprint"),
    checkpointSigner: createNoteSigner(origin, open("checkpoint")),
    forceSigner: createNoteSigner(force, open("force")),
  };
}
