import { AEAD_AES_256_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_MLKEM768_X25519 } from "hpke";
import { describe, expect, test } from "vitest";
import { releaseSuite } from "./release-suite.ts";
import { filled, flipBit, toHex } from "./test-support.ts";

const webCryptoSuite = new CipherSuite(KEM_MLKEM768_X25519, KDF_HKDF_SHA256, AEAD_AES_256_GCM);
const aad = filled(5, 7);
const info = filled(4, 120);
const plaintext = filled(6);

describe.each([
  { name: "releaseSuite", opens: releaseSuite, seals: webCryptoSuite },
  { name: "hpke's own suite", opens: webCryptoSuite, seals: releaseSuite },
])("$name", ({ opens, seals }) => {
  test("opens what the other sealed to its key, and refuses it with another info or AAD", async () => {
    const { publicKey, privateKey } = await opens.GenerateKeyPair(false);
    const raw = await opens.SerializePublicKey(publicKey);
    const told = await seals.DeserializePublicKey(raw);
    expect(toHex(await seals.SerializePublicKey(told))).toBe(toHex(raw));
    const { encapsulatedSecret, ciphertext } = await seals.Seal(told, plaintext, { info, aad });
    const open = (context: { info: Uint8Array; aad: Uint8Array }) =>
      opens.Open(privateKey, encapsulatedSecret, ciphertext, context);
    expect(toHex(await open({ info, aad }))).toBe(toHex(plaintext));
    await expect(open({ info: flipBit(info, 3), aad })).rejects.toThrow();
    await expect(open({ info, aad: flipBit(aad, 3) })).rejects.toThrow();
  });
});

test("releaseSuite makes of a seed the key pair that hpke's own suite makes of it", async () => {
  for (let round = 0; round < 20; round += 1) {
    const pair = await webCryptoSuite.GenerateKeyPair(true);
    const privateKey = await releaseSuite.DeserializePrivateKey(
      await webCryptoSuite.SerializePrivateKey(pair.privateKey),
      false,
    );
    const { encapsulatedSecret, ciphertext } = await webCryptoSuite.Seal(pair.publicKey, plaintext, { info });
    expect(toHex(await releaseSuite.Open(privateKey, encapsulatedSecret, ciphertext, { info }))).toBe(toHex(plaintext));
  }
});

test("releaseSuite refuses a seed, a public key and an encapsulated secret of another length, and zero for X25519", async () => {
  const { publicKey, privateKey } = await releaseSuite.GenerateKeyPair(false);
  const raw = await releaseSuite.SerializePublicKey(publicKey);
  await expect(releaseSuite.DeserializePrivateKey(filled(1, 31), false)).rejects.toThrow();
  await expect(releaseSuite.DeserializePublicKey(raw.subarray(1))).rejects.toThrow();
  const { encapsulatedSecret, ciphertext } = await releaseSuite.Seal(publicKey, plaintext, { info });
  await expect(releaseSuite.Open(privateKey, encapsulatedSecret.subarray(1), ciphertext, { info })).rejects.toThrow();
  const low = Uint8Array.from(raw).fill(0, raw.length - 32);
  await expect(
    (async () => releaseSuite.Seal(await releaseSuite.DeserializePublicKey(low), plaintext, { info }))(),
  ).rejects.toThrow();
});

test("releaseSuite refuses keys that it did not make, and writes down no private key", async () => {
  const foreign = await webCryptoSuite.GenerateKeyPair(true);
  await expect(releaseSuite.Seal(foreign.publicKey, plaintext, { info })).rejects.toThrow();
  const { privateKey } = await releaseSuite.GenerateKeyPair(true);
  await expect(releaseSuite.SerializePrivateKey(privateKey)).rejects.toThrow();
  expect(Reflect.ownKeys(privateKey)).toEqual(["algorithm", "extractable", "type"]);
});
