import { formatFault, parseAgreement, type VerifiedAgreement, verifyAgreement } from "@tipstaff/agreement";
import {
  LedgerError,
  parseVerifierKey,
  signatureLines,
  type VerifierKey,
  verifySignatureLines,
} from "@tipstaff/ledger";
import type { ConsoleRequest, ConsoleResponse } from "../console-types.ts";
import { fromBase64url, sha256Hex } from "../encoding.ts";
import { appendJournal } from "../journal/journal.ts";
import type { Keyholder } from "../keyholder.ts";
import { RefusedCall } from "../server/refused-call.ts";
import { readSetting, writeSetting } from "../settings.ts";
import { endReplaced, recipientKeys } from "./agreement-store.ts";

const FAULTS_TOLD = 5;

/** Lets checkpoints be signed, of the log whose name the signing key bears. There is one for ever: another origin is refused. */
export function pinLog(
  { store, keys, now }: Keyholder,
  { origin }: ConsoleRequest<"log/pin">,
): ConsoleResponse<"log/pin"> {
  return store.transaction(() => {
    if (origin !== keys.checkpointSigner.name) {
      throw new RefusedCall(
        "other-log",
        "this keyholder signs one log, whose origin is the name of its key: another one",
      );
    }
    if (readSetting(store, "log-pinned") === undefined) {
      writeSetting(store, "log-pinned", "yes");
      appendJournal(store, { at: now(), what: "log-pinned", detail: { origin } });
    }
    return { pinned: true };
  });
}

/** Pins, or replaces, the key by which a recipient's signature under an agreement is checked. */
export function pinRecipient(
  { store, keys, now }: Keyholder,
  { recipient, verifierKey }: ConsoleRequest<"recipients/pin">,
): ConsoleResponse<"recipients/pin"> {
  const { name } = readVerifierKey(verifierKey);
  if (name === keys.forceSigner.name) {
    throw new RefusedCall("verifier-key-faulty", "a recipient's key must not bear the force's name");
  }
  return store.transaction(() => {
    store.run(
      "insert into recipient_key (recipient, verifier_key) values (?, ?) on conflict do update set verifier_key = ?2",
      ...[recipient, verifierKey],
    );
    appendJournal(store, { at: now(), what: "recipient-pinned", detail: { recipient, verifierKey } });
    return { pinned: true };
  });
}

function readVerifierKey(text: string): VerifierKey {
  try {
    return parseVerifierKey(text);
  } catch (cause) {
    if (!(cause instanceof LedgerError)) throw cause;
    throw new RefusedCall("verifier-key-faulty", cause.message, { cause });
  }
}

/** Signs for the controller what reads as an agreement of this force, and nothing else. */
export function signAgreement(
  { store, keys, force, now }: Keyholder,
  request: ConsoleRequest<"agreements/sign">,
): ConsoleResponse<"agreements/sign"> {
  const bytes = fromBase64url(request.bytes);
  const read = parseAgreement(bytes, { fileName: "agreement" });
  if (!read.ok) {
    const faults = read.faults.slice(0, FAULTS_TOLD).map(formatFault);
    throw new RefusedCall("agreement-faulty", `this is no agreement: ${faults.join("; ")}`);
  }
  if (read.agreement.controller.id !== force) {
    throw new RefusedCall("agreement-faulty", "controller.id must be the id of this keyholder's force");
  }
  const line = signLines(bytes, keys);
  return store.transaction(() => {
    const { id, version } = read.agreement;
    appendJournal(store, { at: now(), what: "agreement-signed", detail: { digest: sha256Hex(bytes), id, version } });
    return { line };
  });
}

function signLines(bytes: Uint8Array, keys: Keyholder["keys"]): string {
  try {
    return signatureLines(bytes, [keys.forceSigner]);
  } catch (cause) {
    if (!(cause instanceof LedgerError)) throw cause;
    throw new RefusedCall("agreement-faulty", cause.message, { cause });
  }
}

/** Pins an agreement after both parties' signatures were verified; one that it supersedes ends. */
export function pinAgreement(
  { store, keys, force, now }: Keyholder,
  request: ConsoleRequest<"agreements/pin">,
): ConsoleResponse<"agreements/pin"> {
  const bytes = fromBase64url(request.bytes);
  const controller = { id: force, signer: keys.forceSigner.name };
  const forceKey = parseVerifierKey(keys.forceSigner.verifierKey);
  const verdicts = recipientKeys(store).map(({ recipient, verifierKey }) => {
    const recipientKey = parseVerifierKey(verifierKey);
    const parties = { controller, recipient: { id: recipient, signer: recipientKey.name } };
    const verifySignature = (text: Uint8Array, lines: string) => validSigners(text, lines, [forceKey, recipientKey]);
    return verifyAgreement({ bytes, signatures: request.signatures, parties, verifySignature });
  });
  const verified = verdicts.find((verdict) => verdict.ok);
  if (verified === undefined) return { ok: false, reason: reasonOf(verdicts) };
  const digest = sha256Hex(bytes);
  const { id, version, recipient } = verified.agreement;
  return store.transaction(() => {
    const added = store.run(
      `insert into agreement (digest, id, version, recipient, bytes, signatures, pinned_at) values (?, ?, ?, ?, ?, ?, ?)
       on conflict do nothing`,
      ...[digest, id, version, recipient.id, bytes, request.signatures, now().toISOString()],
    );
    if (added === 0) return { ok: true, digest };
    endReplaced(store, recipient.id);
    appendJournal(store, { at: now(), what: "agreement-pinned", detail: { digest, id, version } });
    return { ok: true, digest };
  });
}

/** Names of those keys whose signature is there and valid, each judged apart: one bad line does not spoil another. */
function validSigners(text: Uint8Array, lines: string, keys: readonly VerifierKey[]): string[] {
  return keys.flatMap((key) => {
    try {
      return verifySignatureLines(text, lines, [key]).ok ? [key.name] : [];
    } catch (error) {
      if (error instanceof LedgerError) return [];
      throw error;
    }
  });
}

/** The refusal that came furthest: a wrong party is told before a missing signature. */
function reasonOf(verdicts: readonly VerifiedAgreement[]): string {
  if (verdicts.length === 0) return "no recipient's key is pinned yet";
  const refused = verdicts.flatMap((verdict) => (verdict.ok ? [] : [verdict]));
  const order = ["faulty", "other-parties", "recipient-not-signed", "controller-not-signed"];
  const furthest =
    order.flatMap((reason) => refused.filter((verdict) => verdict.reason === reason)).at(0) ?? refused[0];
  const faults = furthest?.faults?.slice(0, FAULTS_TOLD).map(formatFault) ?? [];
  return [furthest?.reason ?? "refused", ...faults].join("; ");
}
