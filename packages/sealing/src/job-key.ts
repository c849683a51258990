import { assertKey, concat, decodeUtf8, utf8 } from "./bytes.ts";
import { NONCE_LENGTH, openAead, type RandomSource, sealAead, sha256, systemRandom } from "./crypto.ts";
import { SealingError } from "./sealing-error.ts";

/** What a release of this job discloses, fixed when it is sealed (docs/spec/key-hierarchy.md). */
export type DisclosureFacts = {
  readonly cardKind: string;
  readonly categories: readonly string[];
  readonly postSensitivity: string;
  readonly rank: string;
};

const CONTENT_KEY_LENGTH = 32;
const LABEL = utf8("tipstaff/v1/job-key");
const aadOf = (context: Uint8Array): Uint8Array => concat([LABEL, sha256(context)]);

/**
 * Wraps a job's content key and facts under the person's job key, bound to the job's encoded context. `random` is for
 * test vectors.
 */
export const wrapJobKey = (
  jobKey: Uint8Array,
  context: Uint8Array,
  content: { readonly contentKey: Uint8Array; readonly facts: DisclosureFacts },
  random: RandomSource = systemRandom,
): Uint8Array => {
  assertKey(jobKey, "a person's job key");
  assertKey(content.contentKey, "a content key");
  const { cardKind, categories, postSensitivity, rank } = content.facts;
  const facts = utf8(JSON.stringify({ cardKind, categories: [...categories].sort(), postSensitivity, rank }));
  const plaintext = concat([content.contentKey, facts]);
  const wrapped = sealAead({ key: jobKey, aad: aadOf(context), nonce: random(NONCE_LENGTH) }, plaintext);
  plaintext.fill(0);
  return wrapped;
};

/** Opens what `wrapJobKey` made; throws `not-authentic` for another person or context, `malformed` for other content. */
export const unwrapJobKey = (
  jobKey: Uint8Array,
  context: Uint8Array,
  wrapped: Uint8Array,
): { contentKey: Uint8Array; facts: DisclosureFacts } => {
  assertKey(jobKey, "a person's job key");
  const plaintext = openAead(jobKey, aadOf(context), wrapped);
  const facts = parseFacts(plaintext.subarray(CONTENT_KEY_LENGTH));
  const contentKey = Uint8Array.from(plaintext.subarray(0, CONTENT_KEY_LENGTH));
  plaintext.fill(0);
  return { contentKey, facts };
};

const parseFacts = (bytes: Uint8Array): DisclosureFacts => {
  const value = parseJson(bytes);
  if (typeof value !== "object" || value === null) throw malformed();
  const read = (name: string): unknown => Object.getOwnPropertyDescriptor(value, name)?.value;
  const categories = read("categories");
  const [cardKind, postSensitivity, rank] = [read("cardKind"), read("postSensitivity"), read("rank")];
  const fits =
    Object.keys(value).length === 4 &&
    typeof cardKind === "string" &&
    typeof postSensitivity === "string" &&
    typeof rank === "string" &&
    Array.isArray(categories) &&
    categories.every((category) => typeof category === "string");
  if (!fits) throw malformed();
  return { cardKind, categories, postSensitivity, rank };
};

const parseJson = (bytes: Uint8Array): unknown => {
  const text = decodeUtf8(bytes);
  try {
    if (text !== undefined) return JSON.parse(text);
  } catch {
    // Told below without the parser's words, which quote what they read.
  }
  throw malformed();
};

const malformed = (): SealingError =>
  new SealingError("malformed", "a wrapped job key must hold a content key and the facts of its disclosure");
