import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createNoteSigner, signatureLines } from "@tipstaff/ledger";
import type { Answer, StaffApi, TestLogin } from "./test-staff.ts";

/** As much of a test desk as agreements need. */
type TestHouse = {
  readonly bureau: TestBureau;
  readonly console: (call: string, body: unknown) => Promise<unknown>;
  readonly as: (login: TestLogin) => StaffApi;
};

export type TestKey = { readonly keyid: string; readonly privateKey: KeyObject; readonly publicKey: string };

/** The keys of a bureau that the tests play. */
export type TestBureau = {
  readonly recipient: string;
  readonly requests: TestKey;
  readonly receipts: TestKey;
  readonly verifierKey: string;
  /** Signature line of the bureau over an agreement's bytes. */
  readonly signAgreement: (bytes: Uint8Array) => string;
};

export function createTestBureau(recipient = "cardmaker"): TestBureau {
  const { privateKey } = generateKeyPairSync("ed25519");
  const seed = privateKey.export({ type: "pkcs8", format: "der" }).subarray(-32);
  const signer = createNoteSigner(recipient, seed);
  return {
    recipient,
    requests: makeKey(`${recipient}-requests`),
    receipts: makeKey(`${recipient}-receipts`),
    verifierKey: signer.verifierKey,
    signAgreement: (bytes) => signatureLines(bytes, [signer]),
  };
}

function makeKey(keyid: string): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ type: "spki", format: "der" }).subarray(-32);
  return { keyid, privateKey, publicKey: raw.toString("base64") };
}

const example = fileURLToPath(new URL("../../../../examples/agreements/card-contractor.yaml", import.meta.url));
const KEYS_BLOCK = /^ {2}keys:\n(?: {4}.*\n)*/m;

/** The example agreement with this bureau's keys, as `edit` leaves it, signed by both parties. */
export async function signTestAgreement(
  test: Pick<TestHouse, "bureau" | "console">,
  edit: (text: string) => string = (text) => text,
): Promise<{ bytes: Buffer; signatures: string }> {
  const { bureau } = test;
  const keys = [
    { ...bureau.requests, use: "requests" },
    { ...bureau.receipts, use: "receipts" },
  ].map(({ keyid, use, publicKey }) => `    - { id: ${keyid}, use: ${use}, publicKey: "${publicKey}" }\n`);
  const text = readFileSync(example, "utf8").replace(KEYS_BLOCK, `  keys:\n${keys.join("")}`);
  const bytes = Buffer.from(edit(text), "utf8");
  const answer = await test.console("agreements/sign", { bytes: bytes.toString("base64url") });
  const line = typeof answer === "object" && answer !== null && "line" in answer ? String(answer.line) : "";
  return { bytes, signatures: `${line.trimEnd()}\n${bureau.signAgreement(bytes)}` };
}

/** Has the keyholder's console pin the agreement, and two people activate it; answers the second one's answer. */
export async function activateTestAgreement(test: TestHouse, edit?: (text: string) => string): Promise<Answer> {
  const { bytes, signatures } = await signTestAgreement(test, edit);
  const encoded = bytes.toString("base64url");
  const { recipient, verifierKey } = test.bureau;
  await test.console("recipients/pin", { recipient, verifierKey });
  await test.console("agreements/pin", { bytes: encoded, signatures });
  const body = { bytes: encoded, signatures };
  await test.as("security.one").post("/api/agreements/activate", body);
  return test.as("security.two").post("/api/agreements/activate", body);
}
