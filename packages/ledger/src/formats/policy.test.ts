import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { utf8 } from "../bytes.ts";
import { LedgerError } from "../error.ts";
import { encodeCheckpoint } from "./checkpoint.ts";
import { createCosigner } from "./cosignature.ts";
import { parsePolicy } from "./policy.ts";
import { createNoteSigner, encodeSignedNote, type NoteSignature } from "./signed-note.ts";
import { parseVerifierKey } from "./verifier-key.ts";
import { verifyPolicy } from "./verify-policy.ts";

const origin = "force.example/log";
const log = createNoteSigner(origin, randomBytes(32));
const witnesses = ["w1", "w2", "w3", "w4"].map((name, at) =>
  createCosigner({ name: `${name}.example`, seed: randomBytes(32), algorithm: at === 3 ? "ml-dsa-44" : "ed25519" }),
);
const [w1 = "", w2 = "", w3 = "", w4 = ""] = witnesses.map(({ verifierKey }) => verifierKey);
const refused = expect.objectContaining({ code: "policy-malformed" });
const head = `log ${log.verifierKey} https://force.example/\nwitness a ${w1} http://a.example\nwitness b ${w2}\n`;
const parse = (text: string) => parsePolicy(utf8(text));

describe("parsePolicy()", () => {
  test("reads logs, witnesses, groups of groups, comments, tabs and blank lines", () => {
    const policy = parse(
      `# ours\n \t\n${head}witness\tc  ${w3} \n  # more\nwitness d ${w4}\ngroup x 1 a b\ngroup y any c\ngroup z all x y d\nquorum z\n`,
    );
    expect(policy.logs.map(({ key, url }) => [key.name, url])).toEqual([[origin, "https://force.example/"]]);
    expect(policy.witnesses.map(({ name, url }) => [name, url])).toEqual([
      ["a", "http://a.example"],
      ["b", undefined],
      ["c", undefined],
      ["d", undefined],
    ]);
    expect(policy.quorum).toMatchObject({
      threshold: 3,
      members: [{ threshold: 1 }, { threshold: 1 }, { witness: {} }],
    });
  });

  test("reads a policy that asks for no witness, and says so", () => {
    expect(parse("quorum none\n")).toEqual({ logs: [], witnesses: [], quorum: "none" });
  });

  test("takes names as octets: two spellings of one letter are two names", () => {
    const policy = parse(`witness K ${w1}\nwitness \u212a ${w2}\nquorum \u212a\n`);
    expect(policy.quorum).toMatchObject({ witness: { name: "\u212a", key: { name: "w2.example" } } });
  });

  test.each([
    ["nothing", ""],
    ["no quorum", head],
    ["two quorums", `${head}quorum a\nquorum a\n`],
    ["an empty quorum", `${head}quorum\n`],
    ["a quorum of two names", `${head}quorum a b\n`],
    ["a quorum that is not defined", `${head}quorum c\n`],
    ["a quorum before its witness", `quorum a\n${head}`],
    ["no newline at the end", `${head}quorum a`],
    ["CRLF", `${head}quorum a\r\n`],
    ["a NUL", `${head}quorum a\0\n`],
    ["a DEL", `${head}# \x7f\nquorum a\n`],
    ["an unknown line", `${head}mirror a\nquorum a\n`],
    ["a comment after a line", `${head}quorum a # ours\n`],
    ["a log twice", `${head}log ${log.verifierKey}\nquorum a\n`],
    ["a witness twice under two names", `${head}witness c ${w1}\nquorum a\n`],
    ["two witnesses of one name", `${head}witness a ${w3}\nquorum a\n`],
    ["a witness called none", `witness none ${w1}\nquorum none\n`],
    ["a group called none", `${head}group none any a\nquorum none\n`],
    ["a group called as a witness", `${head}group a any b\nquorum a\n`],
    ["a group without members", `${head}group g any\nquorum g\n`],
    ["a group without a rule", `${head}group g\nquorum a\n`],
    ["a group with itself", `${head}group g any a g\nquorum g\n`],
    ["a group with none", `${head}group g any a none\nquorum g\n`],
    ["a member twice", `${head}group g 2 a a\nquorum g\n`],
    ["a member of two groups", `${head}group g any a\ngroup h any a b\nquorum h\n`],
    ["a threshold of 0", `${head}group g 0 a b\nquorum g\n`],
    ["a threshold above the members", `${head}group g 3 a b\nquorum g\n`],
    ["a threshold of 01", `${head}group g 01 a b\nquorum g\n`],
    ["a threshold of +1", `${head}group g +1 a b\nquorum g\n`],
    ["a threshold of 0x1", `${head}group g 0x1 a b\nquorum g\n`],
    ["a negative threshold", `${head}group g -1 a b\nquorum g\n`],
    ["a third item on a log line", `log ${log.verifierKey} https://a b\nquorum none\n`],
    ["a fourth item on a witness line", `witness a ${w1} http://a b\nquorum a\n`],
    ["a log whose key is a witness's", `log ${w1}\nquorum none\n`],
    ["a witness without a key", "witness a\nquorum a\n"],
    ["a witness whose key signs plain notes", `witness a ${log.verifierKey}\nquorum a\n`],
  ])("refuses %s", (_, text) => {
    expect(() => parse(text)).toThrow(refused);
  });

  test("refuses a key whose id is not its own", () => {
    expect(() => parse(`witness a ${w1.replace(/\+[0-9a-f]{8}\+/, "+00000000+")}\nquorum a\n`)).toThrow(
      expect.objectContaining({ code: "verifier-key-malformed" }),
    );
  });

  test("refuses a key that is not UTF-8, though its octets as characters would be one", () => {
    const key = createCosigner({ name: "Ã", seed: randomBytes(32) }).verifierKey;
    expect(parse(`witness a ${key}\nquorum a\n`).witnesses).toHaveLength(1);
    const octets = Uint8Array.from(`witness a ${key}\nquorum a\n`, (character) => character.charCodeAt(0));
    expect(() => parsePolicy(octets)).toThrow(refused);
  });

  test("reads 256 witnesses in 256 nested groups, and refuses one of either more, and 1 MiB and a byte", () => {
    const keys = Array.from({ length: 257 }, (_, at) => createCosigner({ name: `w${at}`, seed: randomBytes(32) }));
    const lines = (count: number) => keys.slice(0, count).map((key, at) => `witness w${at} ${key.verifierKey}\n`);
    const nested = (count: number) =>
      Array.from(
        { length: count },
        (_, at) => `group g${at} any ${at === 0 ? "w0" : `g${at - 1}`} ${at ? `w${at}` : ""}\n`,
      );
    expect(parse(`${lines(256).join("")}${nested(256).join("")}quorum g255\n`).witnesses).toHaveLength(256);
    expect(() => parse(`${lines(257).join("")}quorum w0\n`)).toThrow(refused);
    expect(() => parse(`${lines(256).join("")}${nested(256).join("")}group h any g255\nquorum h\n`)).toThrow(refused);
    expect(() => parse(`${head}${`#${"x".repeat(1023)}\n`.repeat(1024)}quorum a\n`)).toThrow(refused);
  });

  test("throws nothing but the package's own error", () => {
    const good = utf8(`${head}group g 1 a b\nquorum g\n`);
    const change = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(change, (changes) => {
        const bytes = good.slice();
        for (const [at, value] of changes) bytes[at] = value;
        try {
          parsePolicy(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(LedgerError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("verifyPolicy()", () => {
  const text = encodeCheckpoint({ origin, size: 7, root: randomBytes(32) });
  const own: NoteSignature = { name: log.name, keyId: log.keyId, signature: log.sign(utf8(text)) };
  const by = (at: number): NoteSignature => {
    const signature = witnesses[at]?.cosign(text, 100 + at);
    if (signature === undefined) throw new Error("no such witness");
    return signature;
  };
  const note = (...signatures: NoteSignature[]) => encodeSignedNote({ text, signatures });
  const rest = `witness c ${w3}\nwitness d ${w4}\n`;
  const two = parse(`${head}${rest}group g 2 a b c d\nquorum g\n`);

  test("tells which witnesses cosigned, and when", () => {
    const verdict = verifyPolicy(note(own, by(3), by(1)), { policy: two });
    expect(verdict).toMatchObject({
      ok: true,
      log: origin,
      checkpoint: { size: 7n },
      witnesses: [
        { name: "b", keyName: "w2.example", timestamp: 101n },
        { name: "d", keyName: "w4.example", timestamp: 103n },
      ],
      unknown: [],
    });
  });

  test("refuses one cosignature too few, and says whose was there", () => {
    expect(verifyPolicy(note(own), { policy: two })).toEqual({ ok: false, reason: "quorum-missing", witnesses: [] });
    const verdict = verifyPolicy(note(own, by(0)), { policy: two });
    expect(verdict).toMatchObject({ ok: false, reason: "quorum-missing", witnesses: [{ name: "a" }] });
  });

  test("refuses a quorum of members where one group of all lacks one", () => {
    const policy = parse(`${head}${rest}group x 1 a b\ngroup y any c d\ngroup z all x y\nquorum z\n`);
    expect(verifyPolicy(note(own, by(0), by(1)), { policy })).toMatchObject({ reason: "quorum-missing" });
    expect(verifyPolicy(note(own, by(0), by(2)), { policy })).toMatchObject({ ok: true });
  });

  test("counts signatures of unknown keys for nothing, and keeps them", () => {
    const stranger = createCosigner({ name: "w1.example", seed: randomBytes(32) }).cosign(text, 5);
    expect(verifyPolicy(note(own, stranger, by(1)), { policy: two })).toMatchObject({ reason: "quorum-missing" });
    const verdict = verifyPolicy(note(own, stranger, by(0), by(1)), { policy: two });
    expect(verdict).toMatchObject({ ok: true, unknown: [{ keyId: stranger.keyId }] });
  });

  test("refuses the whole note for one false signature of a known key, log or witness", () => {
    const broken = { ...by(2), signature: by(2).signature.with(9, (by(2).signature[9] ?? 0) ^ 1) };
    expect(verifyPolicy(note(own, by(0), by(1), broken), { policy: two })).toEqual({
      ok: false,
      reason: "bad-signature",
    });
    const forged = { ...own, signature: new Uint8Array(64) };
    expect(verifyPolicy(note(forged, by(0), by(1)), { policy: two })).toEqual({ ok: false, reason: "bad-signature" });
  });

  test("refuses a note without the log's own signature, however many cosigned", () => {
    const verdict = verifyPolicy(note(by(0), by(1), by(2)), { policy: two });
    expect(verdict).toEqual({ ok: false, reason: "no-known-signature" });
    const namesake = createNoteSigner(origin, randomBytes(32));
    const other = { name: namesake.name, keyId: namesake.keyId, signature: namesake.sign(utf8(text)) };
    expect(verifyPolicy(note(other, by(0), by(1)), { policy: two })).toEqual({ ok: false, reason: "key-id-mismatch" });
  });

  test("refuses a log that the policy does not name, also one signed by another log's key", () => {
    expect(verifyPolicy(note(own), { policy: parse("quorum none\n") })).toEqual({ ok: false, reason: "unknown-log" });
    const other = createNoteSigner("other.example/log", randomBytes(32));
    const policy = parse(`log ${other.verifierKey}\nquorum none\n`);
    const signed = { name: other.name, keyId: other.keyId, signature: other.sign(utf8(text)) };
    expect(verifyPolicy(note(signed), { policy })).toEqual({ ok: false, reason: "unknown-log" });
  });

  test("takes the log's key from elsewhere, for that log's origin alone", () => {
    const policy = parse("quorum none\n");
    const key = two.logs.map((entry) => entry.key);
    expect(verifyPolicy(note(own), { policy, log: { origin, keys: key } })).toMatchObject({ ok: true, witnesses: [] });
    const verdict = verifyPolicy(note(own), { policy, log: { origin: "other", keys: key } });
    expect(verdict).toEqual({ ok: false, reason: "unknown-log" });
  });

  test("counts no cosignature by the key of the log that is given, whatever name it has", () => {
    const seed = randomBytes(32);
    const ownLog = createNoteSigner(origin, seed);
    const self = createCosigner({ name: "independent.example", seed });
    const policy = parse(`witness self ${self.verifierKey}\nwitness a ${w1}\ngroup g any self a\nquorum g\n`);
    const keys = [parseVerifierKey(ownLog.verifierKey)];
    const signed = { name: ownLog.name, keyId: ownLog.keyId, signature: ownLog.sign(utf8(text)) };
    const input = { policy, log: { origin, keys } };
    const missing = { ok: false, reason: "quorum-missing", witnesses: [] };
    expect(verifyPolicy(note(signed, self.cosign(text, 5)), input)).toEqual(missing);
    const verdict = verifyPolicy(note(signed, self.cosign(text, 5), by(0)), input);
    expect(verdict).toMatchObject({ ok: true, witnesses: [{ name: "a" }] });
  });

  test("takes a note with two signatures of one key for no note", () => {
    const twice = new TextDecoder().decode(note(own, by(0)));
    const line = twice.split("\n").at(-2);
    expect(() => verifyPolicy(utf8(`${twice}${line}\n`), { policy: two })).toThrow(
      expect.objectContaining({ code: "note-malformed" }),
    );
  });

  test("counts a time of 0 or of the far future, and refuses one over 2^63 − 1", () => {
    for (const time of [0n, 2n ** 63n - 1n]) {
      const signature = witnesses[0]?.cosign(text, time);
      const verdict = signature && verifyPolicy(note(own, signature, by(1)), { policy: two });
      expect(verdict).toMatchObject({ ok: true, witnesses: [{ timestamp: time }, { name: "b" }] });
    }
    const late = { ...by(0), signature: by(0).signature.with(0, 0x80) };
    expect(verifyPolicy(note(own, late, by(1)), { policy: two })).toEqual({ ok: false, reason: "bad-signature" });
  });

  test("knows a log that signs by ML-DSA", () => {
    const signer = createCosigner({ name: origin, seed: randomBytes(32), algorithm: "ml-dsa-44" });
    const policy = parse(`log ${signer.verifierKey}\nquorum none\n`);
    const signature = signer.cosign(text, 0);
    expect(verifyPolicy(note(signature), { policy })).toMatchObject({ ok: true, log: origin });
    const broken = { ...signature, signature: signature.signature.with(99, 0).with(100, 1) };
    expect(verifyPolicy(note(broken), { policy })).toEqual({ ok: false, reason: "bad-signature" });
  });
});
