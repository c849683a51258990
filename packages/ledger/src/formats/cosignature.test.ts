import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { LedgerError } from "../error.ts";
import { encodeCheckpoint } from "./checkpoint.ts";
import { createCosigner, verifyCosignature } from "./cosignature.ts";
import { parseCosignerKey } from "./cosigner-key.ts";
import { parsePolicy } from "./policy.ts";
import { createNoteSigner, encodeSignedNote, parseSignedNote } from "./signed-note.ts";
import { parseVerifierKey } from "./verifier-key.ts";
import { verifyPolicy } from "./verify-policy.ts";

const text = encodeCheckpoint({ origin: "force.example/log", size: 5, root: randomBytes(32) });
const name = "witness.example/w1";

describe.each(["ed25519", "ml-dsa-44"] as const)("a cosignature by %s", (algorithm) => {
  const seed = randomBytes(32);
  const cosigner = createCosigner({ name, seed, algorithm });
  const key = parseCosignerKey(cosigner.verifierKey);
  const good = cosigner.cosign(text, 1_679_315_147);

  test("verifies, and tells its time", () => {
    expect(verifyCosignature(text, good, { key })).toEqual({ ok: true, timestamp: 1_679_315_147n });
    const last = cosigner.cosign(text, 2n ** 63n - 1n);
    expect(verifyCosignature(text, last, { key })).toEqual({ ok: true, timestamp: 2n ** 63n - 1n });
  });

  test("is refused over another size, root or origin", () => {
    for (const [from, to] of [
      ["\n5\n", "\n6\n"],
      ["force", "farce"],
    ] as const) {
      expect(verifyCosignature(text.replace(from, to), good, { key })).toEqual({ ok: false, reason: "bad-signature" });
    }
    const other = encodeCheckpoint({ origin: "force.example/log", size: 5, root: randomBytes(32) });
    expect(verifyCosignature(other, good, { key })).toEqual({ ok: false, reason: "bad-signature" });
  });

  test("is refused with one bit of time or signature changed", () => {
    for (const at of [1, 7, 8, 40, good.signature.length - 1]) {
      const signature = good.signature.with(at, (good.signature[at] ?? 0) ^ 1);
      expect(verifyCosignature(text, { ...good, signature }, { key })).toEqual({ ok: false, reason: "bad-signature" });
    }
  });

  test("is refused when short, long, or timed after 2^63 − 1", () => {
    const { signature } = good;
    for (const wrong of [signature.subarray(1), Uint8Array.of(...signature, 0), signature.with(0, 0x80)]) {
      const verdict = verifyCosignature(text, { ...good, signature: wrong }, { key });
      expect(verdict).toEqual({ ok: false, reason: "malformed" });
    }
  });

  test("is nobody's under another name or id", () => {
    expect(verifyCosignature(text, { ...good, name: "w2" }, { key })).toEqual({ ok: false, reason: "other-key" });
    expect(verifyCosignature(text, { ...good, keyId: "00000000" }, { key })).toEqual({
      ok: false,
      reason: "other-key",
    });
  });

  test("is not made over what is no checkpoint, or at no whole second", () => {
    expect(() => cosigner.cosign("text\n", 1)).toThrow(expect.objectContaining({ code: "checkpoint-malformed" }));
    for (const time of [-1, 0.5, 2n ** 63n]) {
      expect(() => cosigner.cosign(text, time)).toThrow(expect.objectContaining({ code: "cosignature-malformed" }));
    }
  });

  test("comes from a seed of 32 bytes and a name without spaces", () => {
    expect(() => createCosigner({ name, algorithm, seed: randomBytes(31) })).toThrow(LedgerError);
    expect(() => createCosigner({ name: "a b", algorithm, seed })).toThrow(LedgerError);
  });
});

test("an ML-DSA cosignature binds the cosigner's name, so that two may share a key", () => {
  const seed = randomBytes(32);
  const [one, two] = ["w1", "w2"].map((other) => createCosigner({ name: other, seed, algorithm: "ml-dsa-44" }));
  if (one === undefined || two === undefined) throw new Error("unreachable");
  const key = parseCosignerKey(two.verifierKey);
  const moved = { ...one.cosign(text, 1), name: two.name, keyId: two.keyId };
  expect(verifyCosignature(text, moved, { key })).toEqual({ ok: false, reason: "bad-signature" });
});

test("an ML-DSA cosignature over an origin of 256 bytes does not exist", () => {
  const long = encodeCheckpoint({ origin: "x".repeat(256), size: 1, root: randomBytes(32) });
  const cosigner = createCosigner({ name, seed: randomBytes(32), algorithm: "ml-dsa-44" });
  expect(() => cosigner.cosign(long, 1)).toThrow(expect.objectContaining({ code: "cosignature-malformed" }));
  const key = parseCosignerKey(cosigner.verifierKey);
  const verdict = verifyCosignature(long, cosigner.cosign(text, 1), { key });
  expect(verdict).toEqual({ ok: false, reason: "bad-signature" });
});

test("a checkpoint's extension lines are cosigned by Ed25519, and refused by ML-DSA, whose message leaves them out", () => {
  const extended = `${text}more\n`;
  const ed = createCosigner({ name, seed: randomBytes(32) });
  const verdict = verifyCosignature(extended, ed.cosign(extended, 1), { key: parseCosignerKey(ed.verifierKey) });
  expect(verdict).toEqual({ ok: true, timestamp: 1n });
  const mlDsa = createCosigner({ name, seed: randomBytes(32), algorithm: "ml-dsa-44" });
  expect(() => mlDsa.cosign(extended, 1)).toThrow(expect.objectContaining({ code: "cosignature-malformed" }));
  const moved = verifyCosignature(extended, mlDsa.cosign(text, 1), { key: parseCosignerKey(mlDsa.verifierKey) });
  expect(moved).toEqual({ ok: false, reason: "bad-signature" });
});

test("verification that is handed in is asked", () => {
  const cosigner = createCosigner({ name, seed: randomBytes(32), algorithm: "ml-dsa-44" });
  const key = parseCosignerKey(cosigner.verifierKey);
  const asked: number[] = [];
  const mlDsa44 = (publicKey: Uint8Array, _: Uint8Array, signature: Uint8Array) => {
    asked.push(publicKey.length, signature.length);
    return false;
  };
  expect(verifyCosignature(text, cosigner.cosign(text, 1), { key, mlDsa44 }).ok).toBe(false);
  expect(asked).toEqual([1312, 2420]);
});

describe("parseCosignerKey()", () => {
  const { verifierKey } = createCosigner({ name, seed: randomBytes(32) });
  test("refuses the key of a plain note, and parseVerifierKey() a cosigner's", () => {
    const plain = createNoteSigner(name, randomBytes(32)).verifierKey;
    expect(() => parseCosignerKey(plain)).toThrow(expect.objectContaining({ code: "verifier-key-malformed" }));
    expect(() => parseVerifierKey(verifierKey)).toThrow(expect.objectContaining({ code: "verifier-key-malformed" }));
  });
  test("refuses every change of one character", () => {
    for (let at = 0; at < verifierKey.length; at++) {
      const changed = verifierKey.slice(0, at) + String.fromCharCode(verifierKey.charCodeAt(at) + 1);
      expect(() => parseCosignerKey(changed + verifierKey.slice(at + 1))).toThrow(LedgerError);
    }
  });
});

test("an ML-DSA-44 signature that another implementation made verifies, and not with one bit changed", () => {
  const file = readFileSync(new URL("../../vectors/ml-dsa-44.json", import.meta.url), "utf8");
  const vector: { verifierKey: string; note: string } = JSON.parse(file);
  const note = parseSignedNote(Buffer.from(vector.note));
  const key = parseCosignerKey(vector.verifierKey);
  const [signature] = note.signatures;
  if (signature === undefined) throw new Error("no signature");
  expect(verifyCosignature(note.text, signature, { key })).toEqual({ ok: true, timestamp: 0n });
  const policy = parsePolicy(Buffer.from(`log ${vector.verifierKey}\nquorum none\n`));
  expect(verifyPolicy(encodeSignedNote(note), { policy })).toMatchObject({ ok: true, log: key.name });
  const changed = { ...signature, signature: signature.signature.with(99, (signature.signature[99] ?? 0) ^ 1) };
  expect(verifyCosignature(note.text, changed, { key })).toEqual({ ok: false, reason: "bad-signature" });
});
