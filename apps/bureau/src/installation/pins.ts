import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Agreement, type Limits, toLimits, verifyAgreement } from "@tipstaff/agreement";
import { LedgerError, parseVerifierKey, type VerifierKey, verifySignatureLines } from "@tipstaff/ledger";
import { type KeyObject, parsePublicKey } from "@tipstaff/release-protocol";
import { z } from "zod";
import { BureauError } from "../bureau-error.ts";
import { type BureauKeys, readKeys } from "./keys.ts";
import { openPlace, type Place, readJson, readSettings } from "./place.ts";
import { assertOwnKeys } from "./sign-agreement.ts";

const pinsSchema = z.strictObject({
  version: z.literal(1),
  forceVerifierKey: z.string(),
  logVerifierKey: z.string(),
  deskUrl: z.string().regex(/^https?:\/\/[A-Za-z0-9.:[\]-]+$/),
  replyKey: z.strictObject({ id: z.string(), publicKey: z.string() }),
});
type PinsFile = z.infer<typeof pinsSchema>;

/** An agreement that both parties signed. */
export type PinnedAgreement = { readonly digest: string; readonly agreement: Agreement; readonly limits: Limits };

/** What this bureau trusts; nothing that the desk says is believed without it. */
export type Pins = {
  readonly force: VerifierKey;
  /** The key's name is the log's origin. */
  readonly log: VerifierKey;
  readonly deskUrl: string;
  readonly replyKeyFor: (keyid: string) => KeyObject | undefined;
  readonly agreements: ReadonlyMap<string, PinnedAgreement>;
};

export type PinOptions = {
  readonly folder: string;
  readonly forceVerifierKey: string;
  readonly logVerifierKey: string;
  readonly deskUrl: string;
  readonly replyKeyId: string;
  readonly replyPublicKey: string;
  readonly agreement: string;
  /** Lets other keys take the place of those pinned before. */
  readonly replace?: boolean | undefined;
};

/**
 * Pins keys, address and one agreement (further ones are added by further calls). Throws `bad-input` for what does not
 * verify, and `exists` when other keys are pinned already.
 */
export function pin(options: PinOptions): { agreement: string; force: string } {
  const place = openPlace(options.folder);
  const settings = readSettings(place);
  const keys = readKeys(place, settings.recipient);
  const parsed = pinsSchema.safeParse({
    version: 1,
    forceVerifierKey: options.forceVerifierKey,
    logVerifierKey: options.logVerifierKey,
    deskUrl: options.deskUrl.replace(/\/$/, ""),
    replyKey: { id: options.replyKeyId, publicKey: options.replyPublicKey },
  });
  if (!parsed.success) throw new BureauError("bad-input", "--desk-url: an http address without a path");
  const file = parsed.data;
  const force = toVerifierKey("--force-verifier-key", file.forceVerifierKey);
  toVerifierKey("--log-verifier-key", file.logVerifierKey);
  toReplyKey(file);
  assertUnchanged(place, file, options.replace === true);
  const signed = readSigned(options.agreement);
  const { bytes, signatures } = signed;
  const { digest } = openAgreement(signed, { force, keys });
  writeWhole(join(place.agreements, `${digest}.yaml.sig`), signatures);
  writeWhole(join(place.agreements, `${digest}.yaml`), bytes);
  writeWhole(place.pins, `${JSON.stringify(file, null, 2)}\n`);
  return { agreement: digest, force: force.name };
}

/** Reads the pins and verifies every pinned agreement again; throws `not-pinned`, `damaged` or `bad-input`. */
export function readPins(place: Place, keys: BureauKeys): Pins {
  if (!existsSync(place.pins)) throw new BureauError("not-pinned", "Nothing is pinned yet. Run: bureau pin");
  const file = readJson(place.pins, pinsSchema);
  const force = toVerifierKey("force", file.forceVerifierKey);
  const replyKey = toReplyKey(file);
  const agreements = readdirSync(place.agreements)
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => join(place.agreements, name))
    .map((name) => openAgreement(readSigned(name), { force, keys }));
  if (agreements.length === 0) throw new BureauError("not-pinned", `${place.agreements} is empty. Run: bureau pin`);
  return {
    force,
    log: toVerifierKey("log", file.logVerifierKey),
    deskUrl: file.deskUrl,
    replyKeyFor: (keyid) => (keyid === file.replyKey.id ? replyKey : undefined),
    agreements: new Map(agreements.map((agreement) => [agreement.digest, agreement])),
  };
}

function assertUnchanged(place: Place, next: PinsFile, replace: boolean): void {
  if (replace || !existsSync(place.pins)) return;
  const before = readJson(place.pins, pinsSchema);
  if (before.forceVerifierKey === next.forceVerifierKey && before.logVerifierKey === next.logVerifierKey) return;
  throw new BureauError("exists", "Another force or log is pinned. If you are sure, pin with --replace");
}

function toVerifierKey(what: string, text: string): VerifierKey {
  try {
    return parseVerifierKey(text);
  } catch (cause) {
    throw new BureauError("bad-input", `${what}: ${cause instanceof Error ? cause.message : "no verifier key"}`, {
      cause,
    });
  }
}

function toReplyKey(file: PinsFile): KeyObject {
  const key = parsePublicKey(file.replyKey.publicKey);
  if (key === undefined) throw new BureauError("bad-input", "--reply-public-key: base64 of an Ed25519 key of 32 bytes");
  return key;
}

type SignedFile = { readonly bytes: Uint8Array; readonly signatures: string; readonly name: string };

/** An agreement's file, and the signatures in the one beside it. */
function readSigned(name: string): SignedFile {
  const read = (file: string): Buffer => {
    try {
      return readFileSync(file);
    } catch (cause) {
      throw new BureauError("bad-input", `${file} is missing, or cannot be read`, { cause });
    }
  };
  return { bytes: read(name), signatures: read(`${name}.sig`).toString("utf8"), name };
}

function openAgreement(signed: SignedFile, trusted: { force: VerifierKey; keys: BureauKeys }): PinnedAgreement {
  const { force, keys } = trusted;
  const own = toVerifierKey("own", keys.noteSigner.verifierKey);
  const verified = verifyAgreement({
    bytes: signed.bytes,
    signatures: signed.signatures,
    parties: {
      // A force's keys are named by its id, with or without a path behind it.
      controller: { id: force.name.split("/", 1)[0] ?? force.name, signer: force.name },
      recipient: { id: own.name, signer: own.name },
    },
    fileName: signed.name,
    verifySignature: (text, lines) => {
      try {
        const verdict = verifySignatureLines(text, lines, [force, own]);
        return verdict.ok ? verdict.verified.map(({ name }) => name) : [];
      } catch (cause) {
        if (cause instanceof LedgerError) return [];
        throw cause;
      }
    },
  });
  if (!verified.ok) throw new BureauError("bad-input", `${signed.name} is refused: ${verified.reason}`);
  assertOwnKeys(verified.agreement.recipient.keys, keys);
  const digest = createHash("sha256").update(signed.bytes).digest("hex");
  return { digest, agreement: verified.agreement, limits: toLimits(verified.agreement) };
}

function writeWhole(file: string, content: string | Uint8Array): void {
  writeFileSync(`${file}.new`, content, { mode: 0o600, flush: true });
  renameSync(`${file}.new`, file);
}
