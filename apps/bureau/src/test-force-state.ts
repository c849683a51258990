import { createHash, type KeyObject, randomBytes, sign } from "node:crypto";
import type { Agreement } from "@tipstaff/agreement";
import { createNoteSigner } from "@tipstaff/ledger";
import type { Receipt, RefusalCode, ReleaseAnswer } from "@tipstaff/release-protocol";

/** What the force does with one message: as it should, or one of the ways in which the wire and the force go wrong. */
export type Behaviour =
  | "normal"
  | "lose-request"
  | "lose-answer"
  | "unsigned"
  | { readonly refuse: RefusalCode; readonly retryAfter?: number }
  /** The keyholder cancels what the desk has reserved. */
  | { readonly cancel: RefusalCode }
  | { readonly tamper: (answer: ReleaseAnswer) => unknown };
export type Message = { readonly route: string; readonly path: string; readonly body: unknown; readonly at: number };

export type Job = {
  id: string;
  key: Uint8Array;
  attempt: number;
  line: string | undefined;
  receipt: Receipt | undefined;
};

/** All that the other side keeps. */
export type ForceState = {
  agreement: Agreement;
  digest: string;
  leaves: Uint8Array[];
  orders: Map<string, Buffer>;
  runs: Map<string, { order: string; jobs: string[] }>;
  jobs: Map<string, Job>;
  chains: Map<string, string>;
  restarts: Map<string, string>;
  answers: Map<string, { answer: ReleaseAnswer } | { code: RefusalCode }>;
  nonces: Set<string>;
  messages: Message[];
  released: { job: string; attempt: number; line: string }[];
  unexpected: string[];
  behave: (message: Message) => Behaviour | Promise<Behaviour>;
  force: KeyPair;
  log: KeyPair;
  reply: KeyObject;
  bureauKeys: readonly { id: string; use: string; publicKey: string }[];
};

export type KeyPair = { note: ReturnType<typeof createNoteSigner>; seed: Uint8Array };

export function keyPair(name: string): KeyPair {
  const seed = randomBytes(32);
  return { note: createNoteSigner(name, seed), seed };
}

export function sha(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export function signSeed(seed: Uint8Array, bytes: Uint8Array): Uint8Array {
  return sign(null, bytes, { key: Buffer.concat([PKCS8, seed]), format: "der", type: "pkcs8" });
}

const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");
