import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writePhoto } from "./example-extract.ts";
import { ImportError } from "./import-error.ts";
import { openPhotos } from "./open-photos.ts";
import { digestPhoto, makePortrait } from "./portrait.ts";
import { makeArchive, makeZip, type TestEntry } from "./test-zip.ts";

const folder = mkdtempSync(join(tmpdir(), "photo-archive-"));
afterAll(() => rmSync(folder, { recursive: true }));

let jpeg: Buffer;
beforeAll(async () => {
  await writePhoto(join(folder, "1234.jpg"));
  jpeg = readFileSync(join(folder, "1234.jpg"));
});

let archives = 0;
const save = (bytes: Buffer): string => {
  const path = join(folder, `${archives++}.zip`);
  writeFileSync(path, bytes);
  return path;
};
const photo = (more: Partial<TestEntry> = {}): TestEntry => ({ name: "1234.jpg", content: jpeg, ...more });

/** What becomes of the photo of number 1234 in an archive of these entries. */
async function outcome(...entries: TestEntry[]): Promise<string> {
  const photos = await openPhotos(save(makeArchive(entries)));
  try {
    const [place = -1, ...more] = photos.find(["1234"]);
    expect(more).toEqual([]);
    const file = photos.files[place];
    if (file === undefined) return "none";
    const made = await makePortrait(file);
    return made.ok ? "made" : made.reason;
  } finally {
    photos.close();
  }
}

describe("openPhotos() of a ZIP archive", () => {
  test.each<[string, Partial<TestEntry>]>([
    ["deflated", {}],
    ["stored", { method: 0 }],
    ["in a folder", { name: "photos/2026/1234.jpg" }],
    ["below a backslash", { name: "photos\\1234.jpg" }],
    ["with a name in another alphabet", { name: "фото é/1234.jpg" }],
    ["with the mode of a file", { mode: 0o100644 }],
    ["of ZIP64", { zip64: true }],
  ])("makes the portrait of a photo %s", async (_, more) => {
    expect(await outcome(photo(more))).toBe("made");
  });

  test("gives the same digest as the file itself", async () => {
    const files = [await openPhotos(folder), await openPhotos(save(makeArchive([photo()])))];
    const digests = files.map(({ files: [first] }) => (first === undefined ? undefined : digestPhoto(first)));
    const [fromFolder, fromArchive] = await Promise.all(digests);
    expect(fromArchive).toMatchObject({ ok: true, value: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(fromArchive).toEqual(fromFolder);
    for (const { close } of files) close();
  });

  test.each<[string, string, Partial<TestEntry>]>([
    ["a name that leads out", "photo-name-unsafe", { name: "../../1234.jpg" }],
    ["a name that leads out by backslashes", "photo-name-unsafe", { name: "..\\..\\1234.jpg" }],
    ["an absolute name", "photo-name-unsafe", { name: "/etc/1234.jpg" }],
    ["the name of a drive", "photo-name-unsafe", { name: "C:/photos/1234.jpg" }],
    ["a control character", "photo-name-unsafe", { name: "a\u0000b/1234.jpg" }],
    ["a link", "photo-is-link", { mode: 0o120777, content: "/etc/passwd" }],
    ["a device", "photo-is-not-a-file", { mode: 0o020666, content: "" }],
    ["a pipe", "photo-is-not-a-file", { mode: 0o010666, content: "" }],
    ["a folder", "photo-is-not-a-file", { name: "1234.jpg/", content: "" }],
    ["a size above 20 MB", "photo-too-large", { content: Buffer.alloc(30 * 1024 ** 2) }],
    ["a size above 20 MB of ZIP64", "photo-too-large", { size: 2 ** 40, zip64: true }],
    ["more than its size says", "photo-unreadable", { content: Buffer.alloc(40 * 1024 ** 2), size: 1000 }],
    ["less than its size says", "photo-unreadable", { size: 5_000_000 }],
    ["a stored size that is another", "photo-unreadable", { method: 0, size: 10 }],
    ["a checksum that is another", "photo-unreadable", { crc: 7 }],
    ["bytes that do not unpack", "photo-unreadable", { packed: Buffer.alloc(500, 0xff) }],
    ["bytes that break off", "photo-unreadable", { packed: deflateRawSync(Buffer.alloc(9999)).subarray(0, 9) }],
    ["another name in its own header", "photo-unreadable", { localName: "9999.jpg" }],
    ["another way of packing", "photo-unknown-compression", { method: 12 }],
    ["text in it", "photo-not-an-image", { content: "no" }],
    ["nothing in it", "photo-not-an-image", { content: "" }],
    ["another archive in it", "photo-not-an-image", { content: makeZip({ "1234.jpg": "x" }) }],
  ])("refuses a photo with %s: %s", async (_, reason, more) => {
    expect(await outcome(photo(more), photo({ name: "5678.jpg" }))).toBe(reason);
  });

  test("gives both places of a name that stands twice, in one folder or in two", async () => {
    for (const second of ["1234.jpg", "more/1234.JPG"]) {
      const { find, close } = await openPhotos(save(makeArchive([photo(), photo({ name: second })])));
      expect(find(["1234"])).toEqual([0, 1]);
      close();
    }
  });

  test("passes over read-mes and what a Macintosh adds, and names an archive within", async () => {
    const names = ["readme.txt", "__MACOSX/photos/._1234.jpg", "photos/", "1234.zip", "photos/1234.jpg"];
    const entries = names.map((name) => photo({ name }));
    const { files, find, close } = await openPhotos(save(makeArchive(entries)));
    expect(files.map(({ refused }) => refused)).toEqual(["archive-in-archive", undefined]);
    expect(find(["1234"])).toEqual([1]);
    close();
  });

  const refuse = (name: string, words: RegExp, bytes: () => Buffer) =>
    test(`refuses the whole archive: ${name}`, async () => {
      const attempt = openPhotos(save(bytes()));
      await expect(attempt).rejects.toMatchObject({ name: "ImportError", code: "bad-photos", message: words });
      await expect(attempt).rejects.toHaveProperty("message", expect.not.stringMatching(/1234|5678/));
    });
  refuse("no ZIP", /no ZIP archive/, () => Buffer.from("1234,no archive".repeat(99)));
  refuse("empty", /no ZIP archive/, () => Buffer.alloc(0));
  refuse("cut off", /no ZIP archive/, () => makeArchive([photo()]).subarray(0, -100));
  refuse("without its beginning", /broken or cut off/, () => makeArchive([photo()]).subarray(5000));
  refuse("encrypted", /encrypted/, () => makeArchive([photo({ flags: 0x801 })]));
  refuse("strongly encrypted", /encrypted/, () => makeArchive([photo({ flags: 0x841 })]));
  refuse("more entries than it says", /more entries/, () => makeArchive([photo(), photo({ name: "5678.jpg" })], 1));
  refuse("fewer entries than it says", /broken or cut off/, () => makeArchive([photo()], 2));
  refuse("millions of entries", /more than 1000000/, () => makeArchive([photo({ zip64: true })], 5_000_000));
  refuse("entries that share their bytes", /overlap/, () =>
    makeArchive([photo(), photo({ name: "5678.jpg", offset: 0 })]),
  );
  refuse("an entry in the directory's place", /overlap/, () => makeArchive([photo({ offset: 40 })]));

  test("of which a part is lost while it is open, gives what is left and refuses the rest", async () => {
    const path = save(makeArchive([photo({ method: 0 }), photo({ name: "5678.jpg", method: 0 })]));
    const { files, close } = await openPhotos(path);
    truncateSync(path, jpeg.length + 500);
    const answers = await Promise.all(files.map(async (file) => (await makePortrait(file)).ok));
    expect(answers).toEqual([true, false]);
    close();
  });

  test("throws nothing but ImportError, whatever bytes are changed", async () => {
    const sound = makeArchive([
      photo({ content: "x".repeat(50), mode: 0o100644 }),
      photo({ name: "a/5678.png", zip64: true, content: "y" }),
    ]);
    const edit = fc.tuple(fc.nat(sound.length - 1), fc.integer({ min: 0, max: 255 }));
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 6 }), fc.nat(60), async (edits, cut) => {
        const bytes = Buffer.from(sound.subarray(0, sound.length - (cut < 20 ? cut : 0)));
        for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value;
        try {
          const photos = await openPhotos(save(bytes));
          for (const file of photos.files) expect(await digestPhoto(file)).toHaveProperty("ok");
          photos.close();
        } catch (error) {
          expect(error).toBeInstanceOf(ImportError);
        }
      }),
      { numRuns: 300, endOnFailure: true },
    );
  });
});
