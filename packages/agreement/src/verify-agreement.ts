import type { Agreement } from "./agreement-schema.ts";
import { checkSignable } from "./check-signable.ts";
import type { Fault } from "./faults.ts";
import { parseAgreement } from "./parse-agreement.ts";

const MAX_SIGNATURES_CHARACTERS = 8_192;
const MAX_SIGNATURE_LINES = 16;

/** A party as the verifier has pinned it: `signer` is the key name that stands in its signature line. */
export type Party = { readonly id: string; readonly signer: string };

/**
 * Checks signature lines, each ended by a newline, over a text by the keys that the verifier has pinned, and returns the
 * names of those known keys whose signature is valid. Lines of unknown keys are passed over.
 */
export type VerifySignature = (textBytes: Uint8Array, signatureLines: string) => readonly string[];

export type SignedAgreement = {
  /** Of the YAML file, exactly. */
  readonly bytes: Uint8Array;
  /** Content of the detached `.sig` file: signed-note signature lines. */
  readonly signatures: string;
  readonly parties: { readonly controller: Party; readonly recipient: Party };
  readonly verifySignature: VerifySignature;
  /** For faults; `agreement` when it is not given. */
  readonly fileName?: string;
};

export type AgreementRefusal =
  /** Too large, not UTF-8, control characters such as CR, or no newline at the end: nothing that a note can sign. */
  | "not-signable"
  | "signatures-malformed"
  | "controller-not-signed"
  | "recipient-not-signed"
  /** One signer for both parties. */
  | "same-signer"
  /** Signed, and not an agreement; see `faults`. */
  | "faulty"
  /** Signed, and between others than the parties given. */
  | "other-parties";

export type VerifiedAgreement =
  | { readonly ok: true; readonly agreement: Agreement }
  | { readonly ok: false; readonly reason: AgreementRefusal; readonly faults?: readonly Fault[] };

const refuse = (reason: AgreementRefusal): VerifiedAgreement => ({ ok: false, reason });

/**
 * Reads an agreement only after both parties' detached signatures over its exact bytes have been verified
 * (C2SP signed-note: the text is the file, the lines stand in the `.sig` file), and checks that it is between them.
 */
export const verifyAgreement = (signed: SignedAgreement): VerifiedAgreement => {
  const { bytes, parties, verifySignature, fileName = "agreement" } = signed;
  if (checkSignable(bytes, { fileName }).length > 0) return refuse("not-signable");
  const lines = parseSignatureLines(signed.signatures);
  if (lines === undefined) return refuse("signatures-malformed");
  if (parties.controller.signer === parties.recipient.signer) return refuse("same-signer");
  const signers = verifySignature(bytes, lines);
  if (!signers.includes(parties.controller.signer)) return refuse("controller-not-signed");
  if (!signers.includes(parties.recipient.signer)) return refuse("recipient-not-signed");

  const parsed = parseAgreement(bytes, { fileName });
  if (!parsed.ok) return { ok: false, reason: "faulty", faults: parsed.faults };
  const { controller, recipient } = parsed.agreement;
  if (controller.id !== parties.controller.id || recipient.id !== parties.recipient.id) return refuse("other-parties");
  return { ok: true, agreement: parsed.agreement };
};

/**
 * The lines of a `.sig` file: `— NAME BASE64`, each ended by a newline; blank lines at the start are passed over, so
 * that the end of a note may be saved as it is. Undefined when anything else stands there.
 */
const parseSignatureLines = (signatures: string): string | undefined => {
  if (signatures.length > MAX_SIGNATURES_CHARACTERS || !signatures.endsWith("\n")) return undefined;
  const lines = signatures.replace(/^\n+/, "").split("\n").slice(0, -1);
  const wellFormed = lines.every((line) => /^\u2014 [^\s+]{1,200} [A-Za-z0-9+/]{8,}={0,2}$/u.test(line));
  return wellFormed && lines.length > 0 && lines.length <= MAX_SIGNATURE_LINES ? `${lines.join("\n")}\n` : undefined;
};
