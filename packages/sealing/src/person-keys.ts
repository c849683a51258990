import { assertKey, utf8 } from "./bytes.ts";
import { hkdfExpand32, hkdfExtract } from "./crypto.ts";
import { SealingError } from "./sealing-error.ts";

/** Keys of one person (docs/spec/key-hierarchy.md), each derived when first asked for. */
export type PersonKeys = {
  /** Data key of record fields; the only one that may leave the keyholder. `version` counts from 1. */
  readonly dek: (version: number) => Uint8Array;
  /** Seals subject and actor parts of ledger openings. */
  readonly auditKey: () => Uint8Array;
  /** Makes the person's ledger tags. */
  readonly tagKey: () => Uint8Array;
  /** Wraps the content keys of the person's jobs. */
  readonly jobKey: () => Uint8Array;
};

const AUDIT = utf8("tipstaff/v1/audit");
const TAG = utf8("tipstaff/v1/tag");
const JOB = utf8("tipstaff/v1/job");

/** Derives from a person's 32-byte root by HKDF-SHA-256 (RFC 5869); throws `invalid-input` for another length. */
export const derivePersonKeys = (root: Uint8Array): PersonKeys => {
  assertKey(root, "a person's root");
  const extracted = once(() => hkdfExtract(root));
  const derive = (info: Uint8Array) => once(() => hkdfExpand32(extracted(), info));
  return {
    dek: (version) => {
      if (!Number.isInteger(version) || version < 1) {
        throw new SealingError("invalid-input", "DEK versions are counted from 1");
      }
      return hkdfExpand32(extracted(), utf8(`tipstaff/v1/dek/${version}`));
    },
    auditKey: derive(AUDIT),
    tagKey: derive(TAG),
    jobKey: derive(JOB),
  };
};

const once = <T>(make: () => T): (() => T) => {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
};

/** The key under which the keyholder wraps roots and secrets, from its key-encryption key of 32 bytes. */
export const deriveWrappingKey = (keyEncryptionKey: Uint8Array): Uint8Array => {
  assertKey(keyEncryptionKey, "a key-encryption key");
  return hkdfExpand32(hkdfExtract(keyEncryptionKey), utf8("tipstaff/v1/wrap"));
};
