import { describe, expect, test } from "vitest";
import { createNoteSigner } from "../formats/signed-note.ts";
import { encodeTlogProof } from "../formats/tlog-proof.ts";
import { parseVerifierKey } from "../formats/verifier-key.ts";
import { createCosigner, encodeSignedNote, type Opening, openEvent, parsePolicy, parseSignedNote } from "../index.ts";
import { createMemoryLog } from "../memory/memory-log.ts";
import { testEntry, testKey } from "../test-entries.ts";
import { encodeShownOpenings, parseShownOpenings, verifyEvidence } from "./verify-evidence.ts";

const signer = createNoteSigner("test.example/log", testKey("evidence"));
const verifierKeys = [parseVerifierKey(signer.verifierKey)];
const log = createMemoryLog(signer);
const entries = Array.from({ length: 9 }, (_, n) => testEntry(`evidence ${n}`));
log.append(entries.map(({ leaf }) => leaf));
const [first, second] = entries;
if (!first || !second) throw new Error("no entries");
const path = await log.prover().inclusion(0);
const file = { index: 0n, proof: path, checkpoint: log.checkpoint() };
const proof = encodeTlogProof({ ...file, extra: first.leaf });
const opened = openEvent(first.openings, first.operationId, testKey("log"));
if (!opened) throw new Error("not opened");
const shown: readonly Opening[] = [
  { field: "kind", value: opened.fields.kind, salt: opened.salts.kind },
  { field: "at", value: opened.fields.at, salt: opened.salts.at },
];

describe("verifyEvidence()", () => {
  test("accepts an entry in the proof or beside it, with the fields that are shown", () => {
    const good = { ok: true, origin: signer.name, size: 9n, index: 0n };
    expect(verifyEvidence({ proof, verifierKeys })).toMatchObject(good);
    expect(verifyEvidence({ proof, verifierKeys, openings: shown, origin: signer.name })).toMatchObject(good);
    expect(verifyEvidence({ proof: encodeTlogProof(file), verifierKeys, entry: first.leaf })).toMatchObject(good);
  });

  test("refuses another key, another log, another entry, another place", () => {
    const stranger = parseVerifierKey(createNoteSigner("test.example/log", testKey("stranger")).verifierKey);
    const refused = (more: object, reason: string) =>
      expect(verifyEvidence({ proof, verifierKeys, ...more })).toEqual({ ok: false, reason });
    refused({ verifierKeys: [stranger] }, "key-id-mismatch");
    refused({ verifierKeys: [] }, "no-known-signature");
    refused({ origin: "other.example/log" }, "other-origin");
    refused({ entry: second.leaf }, "other-entry");
    refused({ proof: encodeTlogProof(file) }, "no-entry");
    refused({ proof: encodeTlogProof(file), entry: second.leaf }, "not-included");
    refused({ proof: encodeTlogProof({ ...file, index: 1n, extra: first.leaf }) }, "not-included");
    const forged = new TextDecoder().decode(proof).replace("\n9\n", "\n8\n");
    refused({ proof: new TextEncoder().encode(forged) }, "bad-signature");
  });

  test("names the field that is not what was committed to", () => {
    for (const at of [0, 1]) {
      const changed = shown.map((opening, i) => (i === at ? { ...opening, value: `${opening.value}0` } : opening));
      const verdict = verifyEvidence({ proof, verifierKeys, openings: changed });
      expect(verdict).toEqual({ ok: false, reason: "opening-differs", field: shown[at]?.field });
    }
    const swapped = shown.map((opening) => ({ ...opening, salt: shown[1]?.salt ?? new Uint8Array(32) }));
    expect(verifyEvidence({ proof, verifierKeys, openings: swapped })).toMatchObject({ ok: false, field: "kind" });
  });

  test("refuses openings of an entry that is none of ours", () => {
    const other = createMemoryLog(signer);
    other.append([Uint8Array.of(1, 2, 3)]);
    const foreign = encodeTlogProof({
      index: 0n,
      proof: [],
      checkpoint: other.checkpoint(),
      extra: Uint8Array.of(1, 2, 3),
    });
    expect(verifyEvidence({ proof: foreign, verifierKeys })).toMatchObject({ ok: true });
    expect(verifyEvidence({ proof: foreign, verifierKeys, openings: shown })).toEqual({ ok: false, reason: "no-leaf" });
  });
});

describe("verifyEvidence() by a policy", () => {
  const seed = testKey("evidence witness");
  const witness = createCosigner({ name: "w.example", seed });
  const policyOf = (lines: string) => parsePolicy(new TextEncoder().encode(`${lines}\n`));
  const named = policyOf(`log ${signer.verifierKey}\nwitness w ${witness.verifierKey}\nquorum w`);
  const unnamed = policyOf(`witness w ${witness.verifierKey}\nquorum w`);
  const note = parseSignedNote(log.checkpoint());
  const by = (cosigner: typeof witness) =>
    encodeTlogProof({
      ...file,
      checkpoint: encodeSignedNote({ ...note, signatures: [...note.signatures, cosigner.cosign(note.text, 7)] }),
      extra: first.leaf,
    });
  const cosigned = by(witness);

  test("accepts a cosigned proof by the log's key, by the policy's own, or by both, and says who cosigned", () => {
    const good = { ok: true, origin: signer.name, witnesses: [{ name: "w", keyName: "w.example", timestamp: 7n }] };
    expect(verifyEvidence({ proof: cosigned, verifierKeys, policy: unnamed })).toMatchObject(good);
    expect(verifyEvidence({ proof: cosigned, verifierKeys: [], policy: named })).toMatchObject(good);
    expect(verifyEvidence({ proof: cosigned, verifierKeys, policy: named })).toMatchObject(good);
    expect(verifyEvidence({ proof: cosigned, verifierKeys })).toMatchObject({ ok: true, witnesses: [] });
  });

  test("refuses it without the quorum, without a log's key, by another log's, and for another log", () => {
    const refused = (more: Partial<Parameters<typeof verifyEvidence>[0]>, reason: string) =>
      expect(verifyEvidence({ proof: cosigned, verifierKeys, policy: named, ...more })).toMatchObject({
        ok: false,
        reason,
      });
    const namesake = createCosigner({ name: "w.example", seed: testKey("namesake") });
    refused({ proof }, "quorum-missing");
    refused({ proof: by(namesake) }, "quorum-missing");
    refused({ verifierKeys: [], policy: unnamed }, "unknown-log");
    const stranger = createNoteSigner(signer.name, testKey("stranger")).verifierKey;
    refused({ verifierKeys: [parseVerifierKey(stranger)] }, "key-id-mismatch");
    refused({ verifierKeys: [], policy: policyOf(`log ${stranger}\nquorum none`) }, "key-id-mismatch");
    refused({ verifierKeys: [], origin: "other.example/log" }, "other-origin");
  });

  test("counts no cosignature by the log's own key", () => {
    const own = createCosigner({ name: "w.example", seed: testKey("evidence") });
    const policy = policyOf(`witness w ${own.verifierKey}\nquorum w`);
    expect(verifyEvidence({ proof: by(own), verifierKeys, policy })).toEqual({
      ok: false,
      reason: "quorum-missing",
      witnesses: [],
    });
  });
});

describe("shown openings", () => {
  test("are read as they were written", () => {
    expect(parseShownOpenings(encodeShownOpenings(shown))).toEqual(
      shown.map((opening) => ({ ...opening, salt: Uint8Array.from(opening.salt) })),
    );
  });

  const salt = "00".repeat(32);
  test.each([
    ["no JSON", "{"],
    ["no object", "[]"],
    ["another version", '{"version":2,"openings":[]}'],
    ["more than it should", '{"version":1,"openings":[],"more":1}'],
    ["an unknown field", `{"version":1,"openings":[{"field":"name","value":"x","salt":"${salt}"}]}`],
    ["a short salt", '{"version":1,"openings":[{"field":"kind","value":"x","salt":"00"}]}'],
    ["a value that is no text", `{"version":1,"openings":[{"field":"kind","value":1,"salt":"${salt}"}]}`],
    ["a field twice", `{"version":1,"openings":[${Array(2).fill(`{"field":"kind","value":"x","salt":"${salt}"}`)}]}`],
  ])("are refused with %s", (_, text) => {
    expect(() => parseShownOpenings(text)).toThrow(expect.objectContaining({ code: "openings-malformed" }));
  });
});
