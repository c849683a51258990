export const NONCE_LENGTH = 12;
export const GCM_TAG_LENGTH = 16;

/** A key as the platform holds it. Only the functions beside the one that made it can use it. */
export type PlatformKey = object;

export type AeadInput = { key: Uint8Array; nonce: Uint8Array; aad: Uint8Array };
