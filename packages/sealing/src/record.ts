import { assertKey, concat, isZeroFrom, lengthPrefixedText, u32be, utf8 } from "./bytes.ts";
import { NONCE_LENGTH, openAead, type RandomSource, sealAead, systemRandom } from "./crypto.ts";
import { SealingError } from "./sealing-error.ts";

/** Encrypted fields of a person's record, and the step in bytes to which each is padded. */
const PAD_STEPS = { details: 256, portrait: 4096 } as const;
export type RecordField = keyof typeof PAD_STEPS;

/** Where a sealed field belongs; it opens nowhere else. Versions count from 1. */
export type RecordPlace = {
  readonly personId: string;
  readonly field: RecordField;
  readonly dekVersion: number;
  readonly recordVersion: number;
};

const LABEL = utf8("tipstaff/v1/record");
const FIELD_NAMES = { details: lengthPrefixedText("details"), portrait: lengthPrefixedText("portrait") } as const;

const aadOf = ({ personId, field, dekVersion, recordVersion }: RecordPlace): Uint8Array =>
  concat([LABEL, lengthPrefixedText(personId), FIELD_NAMES[field], u32be(dekVersion), u32be(recordVersion)]);

/**
 * Seals one field of a record under the person's DEK, padded so that its length tells little
 * (docs/spec/key-hierarchy.md). `random` is for test vectors.
 */
export const sealRecord = (
  dek: Uint8Array,
  place: RecordPlace,
  plaintext: Uint8Array,
  random: RandomSource = systemRandom,
): Uint8Array => {
  assertKey(dek, "a DEK");
  const step = PAD_STEPS[place.field];
  const padded = new Uint8Array(Math.ceil((plaintext.length + 1) / step) * step);
  padded.set(plaintext);
  padded[plaintext.length] = 0x80;
  return sealAead({ key: dek, aad: aadOf(place), nonce: random(NONCE_LENGTH) }, padded);
};

/** Opens a field in its place; throws `not-authentic` under another DEK or place, `malformed` for wrong padding. */
export const openRecord = (dek: Uint8Array, place: RecordPlace, sealed: Uint8Array): Uint8Array => {
  assertKey(dek, "a DEK");
  const padded = openAead(dek, aadOf(place), sealed);
  const step = PAD_STEPS[place.field];
  const end = padded.lastIndexOf(0x80);
  const whole = padded.length > 0 && padded.length % step === 0 && padded.length - end <= step;
  if (end < 0 || !whole || !isZeroFrom(padded, end + 1)) {
    throw new SealingError("malformed", `the padding of the field "${place.field}" is wrong`);
  }
  return padded.subarray(0, end);
};
