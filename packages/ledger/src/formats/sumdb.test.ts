import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { leafHash, parseCheckpoint, parseSignedNote, parseVerifierKey, verifyNote } from "../index.ts";

const vectors: {
  key: string;
  checkpoints: { size: string; note: string }[];
  tree: string;
  treeRootIsLeafHashOf: string;
  badTrees: string[];
} = JSON.parse(readFileSync(new URL("../../vectors/sumdb.json", import.meta.url), "utf8"));
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const keys = [parseVerifierKey(vectors.key)];

describe("the checkpoints of Go's checksum database", () => {
  test.each(vectors.checkpoints)("of size $size verify, and do not with another size or root", ({ size, note }) => {
    const parsed = parseSignedNote(utf8(note));
    expect(verifyNote(parsed, keys)).toMatchObject({ ok: true });
    expect(parseCheckpoint(parsed.text)).toMatchObject({ origin: "go.sum database tree", size: BigInt(size) });
    for (const changed of [
      note.replace(size, `${size}0`),
      note.replace("=\n\n", "A=\n\n"),
      note.replace("tree", "trie"),
    ]) {
      expect(verifyNote(parseSignedNote(utf8(changed)), keys)).toMatchObject({ ok: false });
    }
  });

  test("are read as Go reads them", () => {
    const root = leafHash(utf8(vectors.treeRootIsLeafHashOf));
    const checkpoint = parseCheckpoint(vectors.tree);
    expect(checkpoint.size).toBe(123456789012n);
    expect(Buffer.from(checkpoint.root)).toEqual(Buffer.from(root));
  });

  test.each(vectors.badTrees)("are refused where Go refuses them: %j", (tree) => {
    expect(() => parseCheckpoint(tree)).toThrow(expect.objectContaining({ code: "checkpoint-malformed" }));
  });
});
