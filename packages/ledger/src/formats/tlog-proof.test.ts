import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LedgerError } from "../error.ts";
import { createMemoryLog } from "../memory/memory-log.ts";
import { testKey } from "../test-entries.ts";
import { createNoteSigner } from "./signed-note.ts";
import { encodeTlogProof, parseTlogProof } from "./tlog-proof.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array): string => new TextDecoder().decode(data);
const log = createMemoryLog(createNoteSigner("test.example/log", testKey("proofs")));
log.append(Array.from({ length: 11 }, (_, n) => bytes(`entry ${n}`)));
const checkpoint = log.checkpoint();
const proof = await log.prover().inclusion(4);
const good = text(encodeTlogProof({ index: 4n, proof, checkpoint, extra: bytes("more") }));
const malformed = expect.objectContaining({ code: "proof-malformed" });

describe("a tlog-proof", () => {
  test("says what was put in, with extra data and without, and for a log of one entry", () => {
    expect(good.split("\n").slice(0, 3)).toEqual(["c2sp.org/tlog-proof@v1", "extra bW9yZQ==", "index 4"]);
    expect(parseTlogProof(bytes(good))).toMatchObject({ index: 4n, extra: bytes("more"), checkpoint });
    const plain = encodeTlogProof({ index: 4n, proof, checkpoint });
    expect(parseTlogProof(plain)).toEqual({ index: 4n, proof: proof.map((hash) => Uint8Array.from(hash)), checkpoint });
    const one = createMemoryLog(createNoteSigner("test.example/log", testKey("proofs")));
    one.append([bytes("only")]);
    const alone = encodeTlogProof({ index: 0n, proof: [], checkpoint: one.checkpoint() });
    expect(parseTlogProof(alone)).toMatchObject({ index: 0n, proof: [] });
  });

  const first = good.split("\n")[3] ?? "";
  const changed: readonly [string, string][] = [
    ["nothing at all", ""],
    ["another version", good.replace("@v1", "@v2")],
    ["CRLF", good.replaceAll("\n", "\r\n")],
    ["a space after the head", good.replace("@v1\n", "@v1 \n")],
    ["extra data that is not canonical", good.replace("bW9yZQ==", "bW9yZR==")],
    ["extra data twice", good.replace("extra bW9yZQ==\n", "extra bW9yZQ==\nextra bW9yZQ==\n")],
    ["no index", good.replace("index 4\n", "")],
    ["index 04", good.replace("index 4", "index 04")],
    ["index -4", good.replace("index 4", "index -4")],
    ["index 0x4", good.replace("index 4", "index 0x4")],
    ["index +4", good.replace("index 4", "index +4")],
    ["an empty index", good.replace("index 4", "index ")],
    ["an index over 2^63", good.replace("index 4", "index 9223372036854775808")],
    ["an index beyond the tree", good.replace("index 4", "index 11")],
    ["a hash of 31 bytes", good.replace(first, Buffer.alloc(31).toString("base64"))],
    ["a hash that is not canonical", good.replace(first, `${first.slice(0, -2)}B=`)],
    ["a hash with a space after it", good.replace(first, `${first} `)],
    ["64 hashes", good.replace(first, Array(64).fill(first).join("\n"))],
    ["no blank line", good.replace("\n\n", "\n")],
    ["bytes that are no UTF-8", "\ud800"],
  ];
  test.each(changed)("is refused with %s", (_, wrong) => {
    const raw = wrong === "\ud800" ? Uint8Array.of(0xff) : bytes(wrong);
    expect(() => parseTlogProof(raw)).toThrow(LedgerError);
  });

  test("is refused with a broken checkpoint, as a broken note or checkpoint", () => {
    const broken = (from: string, to: string) => () => parseTlogProof(bytes(good.replace(from, to)));
    expect(broken("\n11\n", "\n011\n")).toThrow(expect.objectContaining({ code: "checkpoint-malformed" }));
    expect(broken("\n— ", "\n- ")).toThrow(expect.objectContaining({ code: "note-malformed" }));
    expect(() => parseTlogProof(new Uint8Array(2 * 1_048_576 + 1))).toThrow(malformed);
  });

  test("throws nothing but the package's own error, and prints again what it read", () => {
    const original = bytes(good);
    const mutation = fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(mutation, (changes) => {
        const mutated = original.slice();
        for (const [at, value] of changes) mutated[at] = value;
        try {
          expect(text(encodeTlogProof(parseTlogProof(mutated)))).toBe(text(mutated));
        } catch (error) {
          if (!(error instanceof LedgerError)) throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });
});
