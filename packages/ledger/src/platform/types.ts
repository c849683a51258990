export const NONCE_LENGTH = 12;
export const GCM_TAG_LENGTH = 16;

/** A key as the platform holds it. Only the functions beside the one that made it can use it. */
export type PlatformKey = object;

export type AeadInput = { key: Uint8Array; nonce: Uint8Array; aad: Uint8Array };

/** ML-DSA-44 (FIPS 204), pure, with an empty context. Verifying never throws. */
export type MlDsa44Verify = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;

export type MlDsa44 = {
  readonly publicKey: (seed: Uint8Array) => Uint8Array;
  /** Missing where the platform verifies alone, as Node 22 does. */
  readonly sign?: (seed: Uint8Array, message: Uint8Array) => Uint8Array;
  readonly verify: MlDsa44Verify;
};
