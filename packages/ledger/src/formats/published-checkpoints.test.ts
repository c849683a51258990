import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  encodeTlogProof,
  leafHash,
  openCheckpoint,
  parseCheckpoint,
  parseCosignerKey,
  parseLogKey,
  parsePolicy,
  parseSignedNote,
  parseTlogProof,
  parseVerifierKey,
  verifyCosignature,
  verifyInclusion,
  verifyPolicy,
} from "../index.ts";

type Signed = { readonly verifierKey: string; readonly checkpoint: string };
type Witnessed = { log: string; logKey?: string; witnesses: string[]; checkpoint: string };
const vectors: {
  rekor: Signed & { logId: string; index: number; proof: string[]; entry: string };
  rekorStaging: Signed;
  witnessed: [Required<Witnessed>, Witnessed];
} = JSON.parse(readFileSync(new URL("../../vectors/published-checkpoints.json", import.meta.url), "utf8"));

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const fromBase64 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "base64"));
const flipBit = (bytes: Uint8Array, bit: number): Uint8Array =>
  bytes.with(bit >> 3, (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7)));
const open = ({ verifierKey, checkpoint }: Signed) => {
  const key = parseVerifierKey(verifierKey);
  return openCheckpoint(utf8(checkpoint), { keys: [key], origin: key.name });
};

describe("of Rekor v2, sigstore's log of signatures", () => {
  const { rekor, rekorStaging } = vectors;
  const opened = open(rekor);
  if (!opened.ok) throw new Error(opened.reason);
  const { size, root } = opened.checkpoint;
  const proof = rekor.proof.map(fromBase64);
  const claim = { index: rekor.index, size, root, proof, leafHash: leafHash(fromBase64(rekor.entry)) };

  test("the checkpoints verify, and those of one log not by the key of the other", () => {
    expect(open(rekorStaging)).toMatchObject({ ok: true, checkpoint: { size: 7132n } });
    const { verifierKey } = rekorStaging;
    expect(open({ ...rekor, verifierKey })).toMatchObject({ ok: false });
    for (const [from, to] of [
      ["412115", "412116"],
      ["+8vU", "+8vV"],
      ["zxGZFahC", "zxGZFahD"],
    ] as const) {
      expect(open({ ...rekor, checkpoint: rekor.checkpoint.replace(from, to) })).toMatchObject({ ok: false });
    }
  });

  test("the id that the log gives itself begins with the id of its key", () => {
    const { name, keyId } = parseVerifierKey(rekor.verifierKey);
    const publicKey = fromBase64(rekor.verifierKey.split("+").slice(2).join("+"));
    const logId = createHash("sha256").update(`${name}\n`).update(publicKey).digest();
    expect(logId.toString("base64")).toBe(rekor.logId);
    expect(keyId).toBe(logId.subarray(0, 4).toString("hex"));
  });

  test("the inclusion proof verifies, and with one flipped bit of anything does not", () => {
    expect(verifyInclusion(claim)).toBe(true);
    for (let bit = 0; bit < 256; bit++) {
      expect(verifyInclusion({ ...claim, root: flipBit(root, bit) })).toBe(false);
      expect(verifyInclusion({ ...claim, leafHash: flipBit(claim.leafHash, bit) })).toBe(false);
      for (const [at, hash] of proof.entries()) {
        expect(verifyInclusion({ ...claim, proof: proof.with(at, flipBit(hash, bit)) })).toBe(false);
      }
    }
    for (const wrong of [
      { index: rekor.index - 1 },
      { size: size - 1n },
      { size: size + 1n },
      { proof: proof.slice(1) },
      { proof: [...proof, root] },
    ]) {
      expect(verifyInclusion({ ...claim, ...wrong })).toBe(false);
    }
  });

  test("its proof can be carried as a .tlog-proof", () => {
    const file = encodeTlogProof({ index: BigInt(rekor.index), proof, checkpoint: utf8(rekor.checkpoint) });
    const read = parseTlogProof(file);
    expect(verifyInclusion({ ...claim, index: read.index, proof: read.proof })).toBe(true);
    expect(new TextDecoder().decode(read.checkpoint)).toBe(rekor.checkpoint);
  });
});

describe("of static-ct logs and their public witnesses", () => {
  const [archive, coach] = vectors.witnessed;
  const policyOf = ({ logKey, witnesses }: Required<Witnessed>, quorum: number) => {
    const lines = witnesses.map((key, n) => `witness w${n} ${key}\n`);
    const group = `group g ${quorum} ${witnesses.map((_, n) => `w${n}`).join(" ")}\n`;
    return parsePolicy(utf8(`log ${logKey}\n${lines.join("")}${group}quorum g\n`));
  };

  test("a checkpoint satisfies a policy of its witnesses, and signatures of other kinds and keys stand unknown", () => {
    const verdict = verifyPolicy(utf8(archive.checkpoint), { policy: policyOf(archive, 3) });
    if (!verdict.ok) throw new Error(verdict.reason);
    expect(verdict.witnesses.map(({ keyName, timestamp }) => [keyName, timestamp])).toEqual([
      ["remora.n621.de", 1779573024n],
      ["witness.stagemole.eu", 1779573024n],
      ["witness1.smartit.nu/witness1", 1779573024n],
    ]);
    // The log's own signature after RFC 6962, and a witness that the policy does not name.
    expect(verdict.unknown.map(({ name }) => name)).toEqual([
      archive.log,
      "transparency.dev/DEV:witness-little-garden",
    ]);
  });

  test("it satisfies none with one witness fewer, or with one bit changed under any signature", () => {
    const policy = policyOf(archive, 3);
    const lines = archive.checkpoint.split("\n");
    const without = [...lines.slice(0, -2), ""].join("\n");
    expect(verifyPolicy(utf8(without), { policy })).toMatchObject({ ok: false, reason: "quorum-missing" });
    const resized = archive.checkpoint.replace("1432088532", "1432088533");
    expect(verifyPolicy(utf8(resized), { policy })).toMatchObject({ ok: false, reason: "bad-signature" });
    for (const key of archive.witnesses) {
      const [name = ""] = key.split("+");
      const at = archive.checkpoint.indexOf(`— ${name} `) + name.length + 60;
      const letter = archive.checkpoint[at] === "A" ? "B" : "A";
      const changed = archive.checkpoint.slice(0, at) + letter + archive.checkpoint.slice(at + 1);
      expect(verifyPolicy(utf8(changed), { policy })).toMatchObject({ ok: false, reason: "bad-signature" });
    }
  });

  test("a witness's two cosignatures, by Ed25519 and by ML-DSA-44, verify, each by its own key alone", () => {
    const note = parseSignedNote(utf8(coach.checkpoint));
    const keys = coach.witnesses.map(parseCosignerKey);
    expect(keys.map(({ algorithm }) => algorithm)).toEqual(["ed25519", "ml-dsa-44"]);
    for (const [n, key] of keys.entries()) {
      const signature = note.signatures.at(n + 1);
      if (signature === undefined) throw new Error("no signature");
      const judge = (text: string, one = signature) => verifyCosignature(text, one, { key });
      expect(judge(note.text)).toEqual({ ok: true, timestamp: 1785704691n });
      expect(judge(note.text.replace("185550722", "185550723"))).toEqual({ ok: false, reason: "bad-signature" });
      for (const bit of [0, 63, 64, 300, 8 * signature.signature.length - 1]) {
        const changed = { ...signature, signature: flipBit(signature.signature, bit) };
        expect(judge(note.text, changed).ok).toBe(false);
      }
      const other = note.signatures.at(2 - n);
      expect(judge(note.text, other)).toEqual({ ok: false, reason: "other-key" });
    }
  });

  test("such a log's origin is the name under which it signs", () => {
    for (const { log, checkpoint } of vectors.witnessed) {
      const note = parseSignedNote(utf8(checkpoint));
      expect(parseCheckpoint(note.text).origin).toBe(log);
      expect(note.signatures[0]?.name).toBe(log);
    }
    expect(parseLogKey(archive.logKey).name).toBe(archive.log);
  });
});
