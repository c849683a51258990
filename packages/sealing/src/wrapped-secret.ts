import { assertKey, concat, lengthPrefixedText, utf8 } from "./bytes.ts";
import { NONCE_LENGTH, openAead, type RandomSource, sealAead, systemRandom } from "./crypto.ts";

const LABEL = utf8("tipstaff/v1/wrapped");
const aadOf = (name: string): Uint8Array => concat([LABEL, lengthPrefixedText(name)]);

/**
 * Wraps a secret so that it opens under its own name only, `root/<person id>` or `secret/<use>`
 * (docs/spec/key-hierarchy.md). `random` is for test vectors.
 */
export const wrapSecret = (
  wrappingKey: Uint8Array,
  name: string,
  secret: Uint8Array,
  random: RandomSource = systemRandom,
): Uint8Array => {
  assertKey(wrappingKey, "a wrapping key");
  return sealAead({ key: wrappingKey, aad: aadOf(name), nonce: random(NONCE_LENGTH) }, secret);
};

/** Opens what `wrapSecret` made; throws `not-authentic` under another key or name, `malformed` for too few bytes. */
export const unwrapSecret = (wrappingKey: Uint8Array, name: string, wrapped: Uint8Array): Uint8Array => {
  assertKey(wrappingKey, "a wrapping key");
  return openAead(wrappingKey, aadOf(name), wrapped);
};
