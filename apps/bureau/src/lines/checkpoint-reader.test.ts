import { randomBytes } from "node:crypto";
import { createNoteSigner, encodeCheckpoint, parseVerifierKey, signNote } from "@tipstaff/ledger";
import { expect, test } from "vitest";
import { createCheckpointReader } from "./checkpoint-reader.ts";

const log = createNoteSigner("log.example/cards", randomBytes(32));
const other = createNoteSigner("log.example/cards", randomBytes(32));
const noteOf = (size: number, { signer = log, origin = log.name } = {}): string =>
  Buffer.from(signNote(encodeCheckpoint({ origin, size, root: new Uint8Array(32).fill(size) }), [signer])).toString();
const createReader = () => createCheckpointReader(parseVerifierKey(log.verifierKey));

test("a checkpoint of the pinned log is read, the same each time", () => {
  const read = createReader();
  const first = read(noteOf(7));
  expect(first?.size).toBe(7n);
  expect(read(noteOf(7))).toEqual(first);
});

test("a checkpoint of another origin is refused, though the pinned log's key signed it", () => {
  const read = createReader();
  for (const origin of ["log.example/other", "log.example", "log.example/cards/2"]) {
    expect(read(noteOf(7, { origin }))).toBeUndefined();
    expect(read(noteOf(7))).toBeDefined();
    expect(read(noteOf(7, { origin }))).toBeUndefined();
  }
});

test("a note of another key, or with anything changed, is refused, also after the true one was read", () => {
  const read = createReader();
  const note = noteOf(7);
  expect(read(note)).toBeDefined();
  expect(read(noteOf(7, { signer: other }))).toBeUndefined();
  expect(read(note.replace("\n7\n", "\n8\n"))).toBeUndefined();
  expect(read(`${note}\n`)).toBeUndefined();
  expect(read("")).toBeUndefined();
});

test("a checkpoint that was read long ago is read again", () => {
  const read = createReader();
  for (let size = 1; size <= 200; size += 1) expect(read(noteOf(size))?.size).toBe(BigInt(size));
  expect(read(noteOf(1))?.size).toBe(1n);
});
