import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createNoteSigner, type NoteSigner } from "@tipstaff/ledger";
import { BureauError } from "../bureau-error.ts";
import type { Place } from "./place.ts";
import { readSecret } from "./secret-file.ts";

const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");
const SEED_LENGTH = 32;

export const KEY_USES = ["requests", "receipts", "agreement"] as const;
export type BureauKeyUse = (typeof KEY_USES)[number];

/** One of the bureau's Ed25519 keys; the private half does not leave this record. */
export type BureauKey = {
  readonly id: string;
  readonly use: BureauKeyUse;
  /** Base64 of the 32 bytes, as agreements write it. */
  readonly publicKey: string;
  readonly sign: (bytes: Uint8Array) => Uint8Array;
};
export type BureauKeys = { readonly [use in BureauKeyUse]: BureauKey } & { readonly noteSigner: NoteSigner };

/** Makes the three keys in files that their owner alone can read; throws `exists` rather than write over one. */
export function createKeys(place: Place): void {
  for (const use of KEY_USES) {
    const text = `${randomBytes(SEED_LENGTH).toString("base64")}\n`;
    try {
      writeFileSync(keyFile(place, use), text, { mode: 0o600, flag: "wx", flush: true });
    } catch (cause) {
      throw new BureauError("exists", `${keyFile(place, use)} cannot be made, or exists already`, { cause });
    }
  }
}

/** Reads the three keys; throws `exposed-key` when others than the owner can read one, `damaged` when it is no key. */
export function readKeys(place: Place, recipient: string): BureauKeys {
  const [requests, receipts, agreement] = [
    readKey(place, recipient, "requests"),
    readKey(place, recipient, "receipts"),
    readKey(place, recipient, "agreement"),
  ];
  return {
    requests: requests.key,
    receipts: receipts.key,
    agreement: agreement.key,
    noteSigner: createNoteSigner(recipient, agreement.seed),
  };
}

const keyFile = (place: Place, use: BureauKeyUse): string => join(place.keys, `${use}.key`);

function readKey(place: Place, recipient: string, use: BureauKeyUse): { key: BureauKey; seed: Uint8Array } {
  const file = keyFile(place, use);
  const text = readSecret(file);
  const seed = Buffer.from(text, "base64");
  if (seed.length !== SEED_LENGTH || seed.toString("base64") !== text) {
    throw new BureauError("damaged", `${file} is no key. Restore it from a backup`);
  }
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: "der", type: "pkcs8" });
  return { key: { id: `${recipient}-${use}`, use, ...halves(privateKey) }, seed };
}

function halves(privateKey: KeyObject): Pick<BureauKey, "publicKey" | "sign"> {
  const spki = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  return {
    publicKey: spki.subarray(-SEED_LENGTH).toString("base64"),
    sign: (bytes) => sign(null, bytes, privateKey),
  };
}
