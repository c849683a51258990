import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { nativeMlDsa44 } from "../crypto.ts";
import { encodeCheckpoint } from "./checkpoint.ts";
import { createCosigner } from "./cosignature.ts";
import { parseLogKey } from "./log-key.ts";
import { openCheckpoint } from "./open-checkpoint.ts";
import { createNoteSigner, encodeSignedNote, parseSignedNote, signNote } from "./signed-note.ts";

const origin = "force.example/log";
const root = randomBytes(32);
const textOf = (of: string, extensions: readonly string[] = []) =>
  encodeCheckpoint({ origin: of, size: 3, root, extensions });
const plain = createNoteSigner(origin, randomBytes(32));
const mlDsa = createCosigner({ name: origin, seed: randomBytes(32), algorithm: "ml-dsa-44" });
const witness = createCosigner({ name: origin, seed: randomBytes(32) });
const plainKey = parseLogKey(plain.verifierKey);
const mlDsaKey = parseLogKey(mlDsa.verifierKey);
const signedBy = (cosigner: typeof mlDsa, text = textOf(origin), time = 1_700_000_000) =>
  encodeSignedNote({ text, signatures: [cosigner.cosign(text, time)] });
const both = encodeSignedNote({
  text: textOf(origin),
  signatures: [...parseSignedNote(signNote(textOf(origin), [plain])).signatures, mlDsa.cosign(textOf(origin), 0)],
});
/** The note with one bit of its signature of this number flipped. */
const falsified = (note: Uint8Array, number: number) => {
  const { text, signatures } = parseSignedNote(note);
  const flip = (bytes: Uint8Array) => bytes.map((byte, at) => (at === bytes.length - 1 ? byte ^ 1 : byte));
  const changed = signatures.map((one, at) => (at === number ? { ...one, signature: flip(one.signature) } : one));
  return encodeSignedNote({ text, signatures: changed });
};

describe("parseLogKey()", () => {
  test("reads a key for plain notes, and one of ML-DSA-44", () => {
    expect([plainKey.name, plainKey.keyId]).toEqual([origin, plain.keyId]);
    expect(mlDsaKey).toMatchObject({ name: origin, keyId: mlDsa.keyId, algorithm: "ml-dsa-44" });
  });
  test.each([
    ["a witness's key of type 04", witness.verifierKey],
    ["a key with another id", plain.verifierKey.replace(plain.keyId, "00000000")],
    ["a key of type 06 that is cut short", mlDsa.verifierKey.slice(0, -8)],
    ["no key", "force.example/log"],
  ])("refuses %s", (_, key) => {
    expect(() => parseLogKey(key)).toThrow(expect.objectContaining({ code: "verifier-key-malformed" }));
  });
});

describe("openCheckpoint()", () => {
  test("answers the checkpoint of the log that was asked for", () => {
    const verdict = openCheckpoint(signNote(textOf(origin), [plain]), { keys: [plainKey], origin });
    expect(verdict.ok && verdict.checkpoint.size).toBe(3n);
  });
  test.each([0, 1_700_000_000])("answers that of a log that signs by ML-DSA-44 alone, at time %d", (time) => {
    const verdict = openCheckpoint(signedBy(mlDsa, textOf(origin), time), { keys: [mlDsaKey], origin });
    expect(verdict).toMatchObject({ ok: true, verified: [{ name: origin, keyId: mlDsa.keyId }] });
  });
  test("answers one with both signatures by either key, or both", () => {
    for (const keys of [[plainKey], [mlDsaKey], [plainKey, mlDsaKey]]) {
      const verdict = openCheckpoint(both, { keys, origin });
      expect(verdict.ok && verdict.verified.length).toBe(keys.length);
    }
  });
  test("has ML-DSA-44 verified by whoever is handed in", () => {
    const asked: number[] = [];
    const mlDsa44 = (key: Uint8Array, message: Uint8Array, signature: Uint8Array) => {
      asked.push(signature.length);
      return nativeMlDsa44()?.verify(key, message, signature) ?? false;
    };
    expect(openCheckpoint(signedBy(mlDsa), { keys: [mlDsaKey], origin, mlDsa44 }).ok).toBe(true);
    expect(openCheckpoint(signedBy(mlDsa), { keys: [mlDsaKey], origin, mlDsa44: () => false })).toMatchObject({
      reason: "bad-signature",
    });
    expect(asked).toEqual([2420]);
  });
  test.each([
    ["another log's, also when the key is right", signNote(textOf("force.example/other"), [plain]), "other-origin"],
    ["another log's by ML-DSA-44", signedBy(mlDsa, textOf("force.example/other")), "other-origin"],
    ["one false signature beside a good one", falsified(both, 1), "bad-signature"],
    ["the other one false", falsified(both, 0), "bad-signature"],
    ["a witness's cosignature under the log's name", signedBy(witness), "key-id-mismatch"],
    [
      "extension lines under ML-DSA-44, which does not sign them",
      encodeSignedNote({
        text: textOf(origin, ["more"]),
        signatures: [mlDsa.cosign(textOf(origin), 0)],
      }),
      "bad-signature",
    ],
  ])("refuses %s", (_, note, reason) => {
    expect(openCheckpoint(note, { keys: [plainKey, mlDsaKey], origin })).toEqual({ ok: false, reason });
  });
  test("refuses an unknown key", () => {
    for (const note of [signNote(textOf(origin), [plain]), signedBy(mlDsa)]) {
      expect(openCheckpoint(note, { keys: [], origin })).toEqual({ ok: false, reason: "no-known-signature" });
    }
  });
});
