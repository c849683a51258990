import {
  encodeCanonicalJson,
  isEntryKind,
  type JsonValue,
  LedgerError,
  operationId,
  prepareEntry,
} from "@tipstaff/ledger";
import type { EntryDraft, KeyholderRequest, KeyholderResponse } from "@tipstaff/release-protocol";
import { pseudonymOf, SealingError, systemRandom, unwrapJobKey } from "@tipstaff/sealing";
import { fromBase64url, toBase64url } from "../encoding.ts";
import type { Keyholder } from "../keyholder.ts";
import { createKeyring, type Keyring } from "../roots/root-keys.ts";
import { RefusedCall } from "../server/refused-call.ts";
import { releaseFacts } from "./release-facts.ts";

/** Leaves and encrypted openings, in the order given; refused as a whole where one draft is. Nothing is kept. */
export function prepareEntries(
  keyholder: Keyholder,
  { entries }: KeyholderRequest<"entries/prepare">,
): KeyholderResponse<"entries/prepare"> {
  const keyring = createKeyring(keyholder);
  return { entries: entries.map((draft) => prepareOne(keyholder, keyring, draft)) };
}

function prepareOne({ keys }: Keyholder, keyring: Keyring, draft: EntryDraft) {
  const { kind, recipient, reference, subject, n, actor } = draft;
  if (!isEntryKind(kind)) throw malformed("its kind is not on the list of docs/spec/entry.md");
  if ((subject === undefined) !== (n === undefined)) throw malformed("subject and n go together or not at all");
  const person = subject === undefined ? undefined : keyring.need(subject);
  const id = operationId({ operationKey: keys.operation, kind, recipient: recipient ?? "", reference });
  const facts = kind === "release" ? factsOfRelease(keys.pseudonym, keyring, draft) : factsOf(keys.pseudonym, draft);
  const { at, agreement, order, job, request, attempt } = draft;
  const fields = {
    ...{ kind, recipient, subject, actor, at, agreement, order, job, request, facts },
    attempt: attempt === undefined ? undefined : String(attempt),
    detail: draft.detail === undefined ? undefined : canonical(draft.detail),
  };
  try {
    const { leaf, openings } = prepareEntry({
      operationId: id,
      fields,
      tag: person && n !== undefined ? { tagKey: person.tagKey(), n } : undefined,
      keys: {
        log: keys.log,
        subjectAudit: person?.auditKey(),
        actorAudit: actor === undefined ? undefined : keyring.need(actor).auditKey(),
      },
      random: systemRandom,
    });
    return { operationId: toBase64url(id), leaf: toBase64url(leaf), openings: toBase64url(openings) };
  } catch (cause) {
    if (cause instanceof LedgerError) throw malformed(cause.message, cause);
    throw cause;
  }
}

const malformed = (why: string, cause?: unknown): RefusedCall =>
  new RefusedCall("malformed", `an entry cannot be prepared: ${why}`, { cause });

/** The disclosure's facts come from the wrapped job key, so that the desk cannot say whose they are. */
function factsOfRelease(pseudonymKey: Uint8Array, keyring: Keyring, draft: EntryDraft): string {
  const { wrapped, subject } = draft;
  if (wrapped === undefined || subject === undefined || draft.facts !== undefined) {
    throw malformed("a release brings its subject and its wrapped job key, and no facts of its own");
  }
  try {
    const jobKey = keyring.need(subject).jobKey();
    const { contentKey, facts } = unwrapJobKey(jobKey, fromBase64url(wrapped.context), fromBase64url(wrapped.key));
    contentKey.fill(0);
    return releaseFacts(facts, pseudonymOf(pseudonymKey, subject));
  } catch (cause) {
    if (!(cause instanceof SealingError)) throw cause;
    throw new RefusedCall("wrapped-key-refused", "a wrapped job key is not this person's, or not this job's", {
      cause,
    });
  }
}

function factsOf(pseudonymKey: Uint8Array, { facts, subject, wrapped }: EntryDraft): string | undefined {
  if (wrapped !== undefined) throw malformed("only a release brings a wrapped job key");
  if (subject === undefined) return facts === undefined ? undefined : canonical(facts);
  const given = facts === undefined ? {} : parseObject(facts);
  return encode({ ...given, pseudonym: pseudonymOf(pseudonymKey, subject) });
}

const canonical = (text: string): string => encode(parseObject(text));

function encode(value: JsonValue): string {
  try {
    return encodeCanonicalJson(value);
  } catch (cause) {
    throw malformed("facts or detail hold what canonical JSON has not", cause);
  }
}

function parseObject(text: string): { readonly [name: string]: JsonValue } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (!isJsonObject(value)) throw malformed("facts and detail must each be a JSON object");
  return value;
}

/** JSON.parse makes nothing but JSON values. */
const isJsonObject = (value: unknown): value is { readonly [name: string]: JsonValue } =>
  typeof value === "object" && value !== null && !Array.isArray(value);
