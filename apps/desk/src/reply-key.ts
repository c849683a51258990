import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { DeskError } from "./server/desk-error.ts";

const RAW_KEY_LENGTH = 32;

export type ReplyKey = { readonly keyid: string; readonly privateKey: KeyObject; readonly publicKey: string };

/** Makes the key that signs the desk's replies to bureaux; refuses where one exists. `publicKey` is base64 of 32 bytes. */
export function createReplyKey(file: string): ReplyKey {
  const { privateKey } = generateKeyPairSync("ed25519");
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    writeFileSync(file, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600, flag: "wx" });
  } catch (cause) {
    throw new DeskError("already-initialised", `The reply key ${file} exists already or cannot be written`, { cause });
  }
  return describeKey(privateKey);
}

/** Reads the reply key; refuses a file that others than its owner can read. */
export function readReplyKey(file: string): ReplyKey {
  try {
    if ((statSync(file).mode & 0o077) !== 0) {
      throw new DeskError("bad-config", `The reply key ${file} can be read by others: chmod 600 it`);
    }
    return describeKey(createPrivateKey(readFileSync(file)));
  } catch (cause) {
    if (cause instanceof DeskError) throw cause;
    throw new DeskError("not-initialised", `There is no reply key in ${file}; run init, or restore it`, { cause });
  }
}

function describeKey(privateKey: KeyObject): ReplyKey {
  const raw = createPublicKey(privateKey).export({ type: "spki", format: "der" }).subarray(-RAW_KEY_LENGTH);
  const keyid = `reply-${createHash("sha256").update(raw).digest("hex").slice(0, 8)}`;
  return { keyid, privateKey, publicKey: raw.toString("base64") };
}
