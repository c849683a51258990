import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createFolderReader } from "./folder-files.ts";
import { createFolderStorage } from "./folder-storage.ts";
import { openingsFiles, readOpenings } from "./openings-files.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array): string => new TextDecoder().decode(data);
let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tipstaff-storage-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("createFolderStorage()", () => {
  test("writes files once, and takes the same again", async () => {
    const storage = createFolderStorage(folder);
    const file = { path: "tile/0/x001/067", bytes: bytes("hashes") };
    await storage.writeOnce([file]);
    await storage.writeOnce([file, file]);
    expect(await readFile(join(folder, file.path), "utf8")).toBe("hashes");
    expect(await storage.read(file.path)).toEqual(Buffer.from("hashes"));
    expect(await readdir(join(folder, ".unfinished"))).toEqual([]);
  });

  test("refuses other content for a file that exists, and leaves it", async () => {
    const storage = createFolderStorage(folder);
    await storage.writeOnce([{ path: "tile/0/000", bytes: bytes("first") }]);
    const conflict = expect.objectContaining({ code: "tile-conflict" });
    await expect(storage.writeOnce([{ path: "tile/0/000", bytes: bytes("other") }])).rejects.toThrow(conflict);
    expect(await readFile(join(folder, "tile/0/000"), "utf8")).toBe("first");
  });

  test("lets one of two racing writers win, and the other see the conflict", async () => {
    const write = (content: string) =>
      createFolderStorage(folder).writeOnce([{ path: "tile/0/000", bytes: bytes(content) }]);
    const results = await Promise.allSettled(["a", "b", "c", "d"].map(write));
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  test("replaces the checkpoint", async () => {
    const storage = createFolderStorage(folder);
    await storage.replace({ path: "checkpoint", bytes: bytes("1") });
    await storage.replace({ path: "checkpoint", bytes: bytes("2") });
    expect(await readFile(join(folder, "checkpoint"), "utf8")).toBe("2");
  });

  test("refuses to read what is too long for any file of a log, a folder, and a pipe, each by its path", async () => {
    await writeFile(join(folder, "checkpoint"), "");
    await truncate(join(folder, "checkpoint"), 2 ** 33);
    execFileSync("mkfifo", [join(folder, "pipe")]);
    await mkdir(join(folder, "tile"));
    for (const path of ["checkpoint", "pipe", "tile"]) {
      const failed = expect.objectContaining({ code: "storage-failed", message: expect.stringContaining(` ${path} `) });
      await expect(createFolderStorage(folder).read(path)).rejects.toThrow(failed);
      await expect(createFolderReader(folder).read(path)).rejects.toThrow(failed);
    }
  });

  test("knows no file where there is none", async () => {
    const storage = createFolderStorage(folder);
    await writeFile(join(folder, "file"), "");
    expect(await storage.read("tile/0/000")).toBeUndefined();
    expect(await storage.read("file/000")).toBeUndefined();
    expect(await createFolderReader(folder).read("tile/0/000")).toBeUndefined();
    expect(await createFolderReader(folder).read("file/000")).toBeUndefined();
  });

  test.each(["../x", "/etc/passwd", "tile/../../x", "", ".unfinished/x", "tile//0", "a\0b"])(
    "refuses %j",
    async (path) => {
      const malformed = expect.objectContaining({ code: "path-malformed" });
      const storage = createFolderStorage(folder);
      await expect(storage.read(path)).rejects.toThrow(malformed);
      await expect(createFolderReader(folder).read(path)).rejects.toThrow(malformed);
      await expect(storage.writeOnce([{ path, bytes: bytes("x") }])).rejects.toThrow(malformed);
    },
  );

  test("says storage-failed where it cannot write", async () => {
    await writeFile(join(folder, "tile"), "a file where a folder must be");
    const failed = expect.objectContaining({ code: "storage-failed" });
    await expect(createFolderStorage(folder).writeOnce([{ path: "tile/0/000", bytes: bytes("x") }])).rejects.toThrow(
      failed,
    );
    await expect(createFolderStorage(join(folder, "tile")).replace({ path: "x", bytes: bytes("") })).rejects.toThrow(
      failed,
    );
  });

  test("drops the partial files of a full tile, and nothing else", async () => {
    const storage = createFolderStorage(folder);
    const paths = ["tile/0/000.p/1", "tile/0/000.p/255", "tile/0/000", "tile/0/001.p/1"];
    await storage.writeOnce(paths.map((path) => ({ path, bytes: bytes(path) })));
    await storage.dropPartials(["tile/0/000"]);
    const left = await Promise.all(paths.map(async (path) => (await storage.read(path)) !== undefined));
    expect(left).toEqual([false, false, true, true]);
  });
});

describe("createFolderReader()", () => {
  test("with buffers, keeps the bytes of the last so many files, whatever their length", async () => {
    const texts = ["one", "", "a longer one", "4", "five and more"];
    for (const [at, content] of texts.entries()) await writeFile(join(folder, `00${at}`), content);
    const reader = createFolderReader(folder, { buffers: 2 });
    let before = bytes("");
    for (const [at, content] of texts.entries()) {
      const read = (await reader.read(`00${at}`)) ?? bytes("nothing");
      expect(text(read)).toBe(content);
      expect(text(before)).toBe(texts[at - 1] ?? "");
      before = read;
    }
  });
});

describe("openings files", () => {
  test("give back every bundle at every size that was written, nothing twice", async () => {
    const storage = createFolderStorage(folder);
    const all = Array.from({ length: 700 }, (_, n) => bytes(`openings ${n}`));
    let start = 0;
    for (const step of [1, 9, 240, 6, 300, 100, 44]) {
      await storage.writeOnce(openingsFiles(start, all.slice(start, start + step)));
      start += step;
    }
    const read = (index: number, width: number) => readOpenings(storage, { index, width });
    expect((await read(0, 10)).map(text)).toEqual(all.slice(0, 10).map(text));
    expect((await read(0, 256)).map(text)).toEqual(all.slice(0, 256).map(text));
    expect((await read(1, 256)).map(text)).toEqual(all.slice(256, 512).map(text));
    expect((await read(2, 188)).map(text)).toEqual(all.slice(512).map(text));
    await expect(read(2, 187)).rejects.toThrow(expect.objectContaining({ code: "tile-missing" }));
  });

  test("that begin where they end are refused", async () => {
    const storage = createFolderStorage(folder);
    await storage.writeOnce([{ path: "000.p/3", bytes: Uint8Array.of(3) }]);
    const malformed = expect.objectContaining({ code: "bundle-malformed" });
    await expect(readOpenings(storage, { index: 0, width: 3 })).rejects.toThrow(malformed);
  });
});
