import { randomBytes } from "node:crypto";
import { createNoteSigner, encodeCheckpoint, parseVerifierKey, signNote } from "@tipstaff/ledger";
import { expect, test } from "vitest";
import { createCheckpointReader } from "./checkpoint-reader.ts";

const origin = "log.example/cards";
const log = createNoteSigner("log.example", randomBytes(32));
const other = createNoteSigner("log.example", randomBytes(32));
const noteOf = (size: number, signer = log): string =>
  Buffer.from(signNote(encodeCheckpoint({ origin, size, root: new Uint8Array(32).fill(size) }), [signer])).toString();
const createReader = () => createCheckpointReader(parseVerifierKey(log.verifierKey));

test("a checkpoint of the pinned log is read, the same each time", () => {
  const read = createReader();
  const first = read(noteOf(7), origin);
  expect(first?.size).toBe(7n);
  expect(read(noteOf(7), origin)).toEqual(first);
});

test("a checkpoint is refused for another origin, also after it was read for its own", () => {
  const read = createReader();
  expect(read(noteOf(7), "log.example/other")).toBeUndefined();
  expect(read(noteOf(7), origin)).toBeDefined();
  expect(read(noteOf(7), "log.example/other")).toBeUndefined();
});

test("a note of another key, or with anything changed, is refused, also after the true one was read", () => {
  const read = createReader();
  const note = noteOf(7);
  expect(read(note, origin)).toBeDefined();
  expect(read(noteOf(7, other), origin)).toBeUndefined();
  expect(read(note.replace("\n7\n", "\n8\n"), origin)).toBeUndefined();
  expect(read(`${note}\n`, origin)).toBeUndefined();
  expect(read("", origin)).toBeUndefined();
});

test("a checkpoint that was read long ago is read again", () => {
  const read = createReader();
  for (let size = 1; size <= 200; size += 1) expect(read(noteOf(size), origin)?.size).toBe(BigInt(size));
  expect(read(noteOf(1), origin)?.size).toBe(1n);
});
