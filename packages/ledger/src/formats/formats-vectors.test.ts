import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { LedgerError } from "../error.ts";
import { encodeCheckpoint, parseCheckpoint } from "./checkpoint.ts";
import { createCosigner } from "./cosignature.ts";
import { parseCosignerKey } from "./cosigner-key.ts";
import { parseLogKey } from "./log-key.ts";
import { parsePolicy } from "./policy.ts";
import { createNoteSigner, encodeSignedNote, parseSignedNote, signNote } from "./signed-note.ts";
import { parseTlogProof } from "./tlog-proof.ts";
import { parseVerifierKey } from "./verifier-key.ts";
import { verifyPolicy } from "./verify-policy.ts";

const vectors = JSON.parse(readFileSync(new URL("../../vectors/formats.json", import.meta.url), "utf8"));
const signers: readonly { secret: string; verifierKey: string }[] = vectors.signers;
const entriesOf = (cases: Readonly<Record<string, string>>): [string, string][] => Object.entries(cases);
const seeded = signers.map(({ secret }) => {
  const [, name = "", encoded = ""] = /^PRIVATE\+KEY\+([^+]+)\+[0-9a-f]{8}\+(.+)$/.exec(secret) ?? [];
  return { name, seed: new Uint8Array(Buffer.from(encoded, "base64").subarray(1)) };
});
const cosigners = seeded.map((one) => createCosigner(one));
const log = createNoteSigner("example.com/log", new Uint8Array(32));
const places: Readonly<Record<string, string | undefined>> = {
  log: log.verifierKey,
  plain: signers[0]?.verifierKey,
  ...Object.fromEntries(cosigners.map(({ verifierKey }, at) => [`w${at + 1}`, verifierKey])),
};
const filled = (policy: string) =>
  new TextEncoder().encode(policy.replace(/\{(\w+)\}/g, (_, name) => places[name] ?? ""));
const codeOf = (parse: () => unknown): string => {
  try {
    parse();
    return "read";
  } catch (error) {
    return error instanceof LedgerError ? error.code : String(error);
  }
};

describe("of transparency-dev/formats' tests", () => {
  test.each(seeded.map((one, at) => [one.name, at] as const))("the secret of %s makes its verifier key", (name, at) => {
    const { seed } = seeded[at] ?? { seed: new Uint8Array(0) };
    expect(createNoteSigner(name, seed).verifierKey).toBe(signers[at]?.verifierKey);
  });
  test("keys of type 01 and 04 are read, each where it belongs, and others are not", () => {
    expect(parseVerifierKey(vectors.verifierKey)).toMatchObject({ name: "TEST", keyId: "7997405c" });
    expect(parseCosignerKey(vectors.cosignerKey)).toMatchObject({ name: "remora.n621.de", keyId: "da77ade7" });
    expect(codeOf(() => parseLogKey(vectors.cosignerKey))).toBe("verifier-key-malformed");
    for (const key of vectors.badKeys) {
      for (const parse of [parseVerifierKey, parseCosignerKey, parseLogKey]) {
        expect(codeOf(() => parse(key))).toBe("verifier-key-malformed");
      }
    }
  });
  test.each(entriesOf(vectors.badCheckpoints))("a checkpoint is refused: %s", (_, text) => {
    expect(codeOf(() => parseCheckpoint(text))).toBe("checkpoint-malformed");
  });
  test.each(entriesOf(vectors.badProofs))("a proof is refused, by its signed checkpoint or none: %s", (_, text) => {
    const signed = Buffer.from(
      signNote(encodeCheckpoint({ origin: log.name, size: 9, root: new Uint8Array(32) }), [log]),
    );
    const whole = text.replace(/\ncheckpoint\n$/, `\n${signed}`);
    expect(codeOf(() => parseTlogProof(new TextEncoder().encode(whole)))).toBe("proof-malformed");
    expect(codeOf(() => parseTlogProof(new TextEncoder().encode(text)))).toMatch(/^(proof|note)-malformed$/);
  });
  test.each(entriesOf(vectors.policies))("a policy is read: %s", (_, text) => {
    expect(codeOf(() => parsePolicy(filled(text)))).toBe("read");
  });
  test.each(entriesOf(vectors.badPolicies))("a policy is refused: %s", (_, text) => {
    expect(codeOf(() => parsePolicy(filled(text)))).toMatch(/^(policy|verifier-key)-malformed$/);
  });
  test.each<{ signers: number[]; satisfied: boolean }>(vectors.satisfied)(
    "of nested groups $signers are enough: $satisfied",
    ({ signers: chosen, satisfied }) => {
      const text = encodeCheckpoint({ origin: log.name, size: 42, root: new Uint8Array(32) });
      const { signatures } = parseSignedNote(signNote(text, [log]));
      const cosigned = chosen.flatMap((at) => cosigners[at]?.cosign(text, 1_700_000_000) ?? []);
      const verdict = verifyPolicy(encodeSignedNote({ text, signatures: [...signatures, ...cosigned] }), {
        policy: parsePolicy(filled(vectors.policies["nested groups"])),
        log: { origin: log.name, keys: [parseVerifierKey(log.verifierKey)] },
      });
      expect(verdict.ok ? "fulfilled" : verdict.reason).toBe(satisfied ? "fulfilled" : "quorum-missing");
    },
  );
});
