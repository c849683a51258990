import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import {
  createNoteSigner,
  edgeRoot,
  emptyEdge,
  encodeCheckpoint,
  extendEdge,
  type LogFault,
  parseVerifierKey,
  signNote,
  verifyLog,
} from "../index.ts";
import { openingsFiles } from "../storage/openings-files.ts";
import { testEntry, testKey } from "../test-entries.ts";

const ENTRY = 483;
const signer = createNoteSigner("force.example/log", testKey("signer"));
const verifierKeys = [parseVerifierKey(signer.verifierKey)];
const tiles = new Map<string, Uint8Array>();
const openings = new Map<string, Uint8Array>();
const checkpoints = new Map<number, Uint8Array>();

beforeAll(() => {
  const entries = Array.from({ length: 600 }, (_, n) => testEntry(`${n}`));
  const leaves = entries.map(({ leaf }) => leaf);
  for (const size of [300, 600]) {
    const { edge, files } = extendEdge(emptyEdge, leaves.slice(0, size));
    if (size === 600) for (const file of files) tiles.set(file.path, file.bytes);
    const text = encodeCheckpoint({ origin: signer.name, size, root: edgeRoot(edge) });
    checkpoints.set(size, signNote(text, [signer]));
  }
  for (const [start, end] of [
    [0, 20],
    [20, 530],
    [530, 600],
  ] as const) {
    const made = entries.slice(start, end).map((entry) => entry.openings);
    for (const file of openingsFiles(start, made)) openings.set(file.path, file.bytes);
  }
});

type Changed = { path: string; bytes: Uint8Array | undefined; size?: number; threads?: number; anyEntries?: boolean };

const checkpointOf = (size: number): Uint8Array => {
  const note = checkpoints.get(size);
  if (note === undefined) throw new Error(`no checkpoint of ${size} entries`);
  return note;
};

/** The fault that is found in the log with one file changed, or without it. */
const faultOf = async ({ path, bytes, size = 600, threads = 1, anyEntries }: Changed): Promise<LogFault> => {
  const files = new Map([...tiles, ...openings]).set("checkpoint", checkpointOf(size));
  if (bytes) files.set(path, bytes);
  else files.delete(path);
  const reader = { read: async (asked: string) => files.get(asked) };
  const verdict = await verifyLog({
    ...{ tiles: reader, verifierKeys, threads },
    ...(anyEntries ? { anyEntries } : { openings: reader }),
  });
  if (verdict.ok) throw new Error("a log verified that was changed");
  return verdict.fault;
};

const fileAt = (path: string): Uint8Array => {
  const bytes = tiles.get(path) ?? openings.get(path);
  if (bytes === undefined) throw new Error(`the log has no ${path}`);
  return bytes;
};
const cutTo = (path: string, length: number) => ({ path, bytes: fileAt(path).slice(0, length) });
const withMore = (path: string, more: number) => ({
  path,
  bytes: Uint8Array.from([...fileAt(path), ...new Uint8Array(more)]),
});
const withByte = (path: string, at: number, byte: number) => ({ path, bytes: fileAt(path).with(at, byte) });

describe("verifyLog() of a file of the wrong length", () => {
  const FULL = "tile/entries/001";
  const WHOLE = 256 * ENTRY;
  test.each([1, 2, 5, ENTRY])("names what %i surplus bytes stand behind a bundle whose entries fit", async (more) => {
    const fault = await faultOf(withMore(FULL, more));
    const message = `${FULL} is ${WHOLE + more} bytes long and must be ${WHOLE}, where its entries 256 to 511 end`;
    expect(fault).toEqual({ kind: "entry", path: FULL, bytes: { from: WHOLE, to: WHOLE + more }, message });
  });

  test.each([
    ["at the end of an entry", 250 * ENTRY],
    ["within a length", 250 * ENTRY + 1],
    ["within an entry", 250 * ENTRY + 100],
  ])("names the first entry that is not whole in a bundle that was cut %s", async (_, length) => {
    expect(await faultOf(cutTo(FULL, length))).toMatchObject({
      ...{ kind: "entry", path: FULL, index: 506, bytes: { from: 250 * ENTRY, to: 251 * ENTRY } },
      message: expect.stringContaining(`${FULL} is ${length} bytes long and must be ${WHOLE}; entry 506`),
    });
  });

  test("names the entry before which a false length stands, and the two bytes of it", async () => {
    for (const at of [0, 7, 255]) {
      expect(await faultOf(withByte(FULL, at * ENTRY, 0x11))).toEqual({
        ...{ kind: "entry", path: FULL, index: 256 + at, bytes: { from: at * ENTRY, to: at * ENTRY + 2 } },
        message: `entry ${256 + at} is 4577 bytes long by the length before it, and must be 481`,
      });
    }
  });

  test("names the entry out of which bytes are missing, and not one behind it", async () => {
    const bytes = fileAt(FULL);
    const fault = await faultOf({
      path: FULL,
      bytes: Uint8Array.from([...bytes.slice(0, 3000), ...bytes.slice(3005)]),
    });
    expect(fault).toMatchObject({ kind: "entry", index: 262, bytes: { from: 6 * ENTRY, to: 7 * ENTRY } });
    expect(fault.message).toContain(`is ${WHOLE - 5} bytes long and must be ${WHOLE}`);
  });

  test.each([
    [
      "tile/0/000",
      8000,
      { index: 250, bytes: { from: 8000, to: 8192 } },
      "8192; the first hash that it does not give is that of entry 250",
    ],
    [
      "tile/0/000",
      8191,
      { index: 255, bytes: { from: 8160, to: 8192 } },
      "8192; the first hash that it does not give is that of entry 255",
    ],
    [
      "tile/0/002.p/88",
      0,
      { index: 512, bytes: { from: 0, to: 2816 } },
      "2816; the first hash that it does not give is that of entry 512",
    ],
    ["tile/1/000.p/2", 33, { bytes: { from: 32, to: 64 } }, "64; the first hash that it does not give is its hash 1"],
  ])("names the first hash that is missing when %s has %i bytes", async (path, length, place, words) => {
    const message = `${path} is ${length} bytes long and must be ${words}`;
    expect(await faultOf(cutTo(path, length))).toEqual({ kind: "tile", path, ...place, message });
  });

  test.each([
    ["tile/0/000", 8192],
    ["tile/0/002.p/88", 2816],
    ["tile/1/000.p/2", 64],
  ])("names the surplus bytes of %s", async (path, must) => {
    const message = `${path} is ${must + 5} bytes long and must be ${must}`;
    expect(await faultOf(withMore(path, 5))).toEqual({
      kind: "tile",
      path,
      bytes: { from: must, to: must + 5 },
      message,
    });
  });

  test.each(["000", "002.p/18"])("names the surplus bytes of openings file %s", async (path) => {
    const { length } = fileAt(path);
    const message = `${path} is ${length + 5} bytes long and must be ${length}, where its openings end`;
    const fault = { kind: "openings", path, bytes: { from: length, to: length + 5 }, message };
    expect(await faultOf(withMore(path, 5))).toEqual(fault);
  });

  test.each([
    ["000", 255],
    ["002.p/18", 529],
    ["002.p/88", 599],
  ])("names the entry whose openings are cut short in file %s", async (path, index) => {
    const { length } = fileAt(path);
    const fault = await faultOf(cutTo(path, length - 3));
    expect(fault).toMatchObject({ kind: "openings", path, index, bytes: { to: length } });
    expect(fault.message).toContain(`${path} ends at byte ${length - 3}`);
  });

  test("names the byte of an openings file that begins where it ends, or has none", async () => {
    for (const bytes of [new Uint8Array(0), withByte("002.p/88", 0, 88).bytes]) {
      const fault = { kind: "openings", path: "002.p/88", bytes: { from: 0, to: 1 } };
      expect(await faultOf({ path: "002.p/88", bytes })).toMatchObject(fault);
    }
  });

  test("names the byte that leads to an openings file that never was, and the file that is missing where it was", async () => {
    for (const [path, led] of [
      ["000", 3],
      ["002.p/18", 17],
      ["002.p/88", 1],
    ] as const) {
      const fault = { kind: "openings", path, bytes: { from: 0, to: 1 } };
      expect(await faultOf(withByte(path, 0, led))).toMatchObject(fault);
    }
    for (const path of ["000.p/20", "002.p/18", "001"]) {
      const message = `the openings have no file ${path}`;
      expect(await faultOf({ path, bytes: undefined })).toEqual({ kind: "missing", path, message });
    }
  });

  test("names the full file where that is the one that was read for a partial one", async () => {
    const filled = { size: 300, anyEntries: true };
    expect(await faultOf({ ...withMore(FULL, 5), ...filled })).toMatchObject({ path: FULL, bytes: { from: WHOLE } });
    expect(await faultOf({ ...cutTo("tile/0/001", 8000), ...filled })).toEqual({
      ...{ kind: "tile", path: "tile/0/001", bytes: { from: 8000, to: 8192 } },
      message: "tile/0/001 is 8000 bytes long and must be 8192; the first hash that it does not give is its hash 250",
    });
  });

  test("says the same on two threads", async () => {
    for (const changed of [withMore(FULL, 5), cutTo("tile/0/000", 8000), withByte(FULL, 0, 0x11), cutTo("000", 99)]) {
      expect(await faultOf({ ...changed, threads: 2 })).toEqual(await faultOf(changed));
    }
  });
});

/** Bytes cut out, put in, appended or flipped, anywhere; the same length as before is allowed. */
const change = fc.record({
  at: fc.nat(2 ** 24),
  cut: fc.oneof(fc.nat(6), fc.nat(2000), fc.constantFrom(ENTRY, 32, 2 ** 20)),
  put: fc.oneof(fc.uint8Array({ maxLength: 6 }), fc.uint8Array({ minLength: 480, maxLength: 490 })),
});

describe("verifyLog() of a file with any bytes changed", () => {
  test.each([
    ["tile/entries/000", ENTRY, 0],
    ["tile/entries/002.p/88", ENTRY, 512],
    ["tile/0/001", 32, 256],
    ["tile/0/002.p/88", 32, 512],
    ["tile/1/000.p/2", 32, undefined],
    ["001", undefined, undefined],
  ])("names the first byte of %s that changed in its region, and the entry there", async (path, each, first) => {
    await fc.assert(
      fc.asyncProperty(change, fc.boolean(), async ({ at: somewhere, cut, put }, anyEntries) => {
        const before = fileAt(path);
        // The first byte of openings leads to another file.
        const at = Math.max(each === undefined ? 1 : 0, somewhere % (before.length + 1));
        const bytes = Uint8Array.from([...before.slice(0, at), ...put, ...before.slice(at + cut)]);
        const differs = bytes.findIndex((byte, i) => byte !== before[i]);
        if (differs < 0 && bytes.length === before.length) return;
        const changed = differs < 0 ? bytes.length : differs;
        const fault = await faultOf({ path, bytes, anyEntries: anyEntries && each !== undefined });
        expect(fault.path).toBe(path);
        expect(fault.bytes?.from).toBeLessThanOrEqual(changed);
        expect(fault.bytes?.to).toBeGreaterThan(changed);
        if (each === undefined || first === undefined) return;
        const surplus = changed >= before.length;
        expect(fault.index).toBe(surplus ? undefined : first + Math.floor(changed / each));
      }),
      { numRuns: 30 },
    );
  });
});
