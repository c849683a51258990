import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import sharp from "sharp";
import { afterAll, describe, expect, test } from "vitest";
import { writePhoto } from "./example-extract.ts";
import { openPhotos } from "./open-photos.ts";
import { readPhotoFile } from "./photo-folder.ts";
import { makePortrait } from "./portrait.ts";

const folder = mkdtempSync(join(tmpdir(), "portrait-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);
const make = (name: string) => makePortrait({ refused: undefined, read: () => readPhotoFile(at(name)) });

function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/** A PNG of a few hundred KB that claims to be 30,000 pixels wide and high. */
function makeBomb(): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(30_000, 0);
  head.writeUInt32BE(30_000, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const rows = deflateSync(Buffer.alloc(100_000_000));
  const signature = Buffer.from("89504e470d0a1a0a", "hex");
  return Buffer.concat([signature, pngChunk("IHDR", head), pngChunk("IDAT", rows), pngChunk("IEND", Buffer.alloc(0))]);
}

describe("makePortrait()", () => {
  test.each(["jpeg", "png", "webp"] as const)("makes 413 x 531 JPEG of %s, without transparency", async (format) => {
    const create = { width: 500, height: 200, channels: 4, background: "#ff000080" } as const;
    await sharp({ create })
      .toFormat(format)
      .toFile(at(`a.${format}`));
    const made = await make(`a.${format}`);
    const metadata = made.ok ? await sharp(made.value.jpeg).metadata() : undefined;
    expect(metadata).toMatchObject({ format: "jpeg", width: 413, height: 531, hasAlpha: false });
  });
  test("turns a photo as its EXIF says", async () => {
    const halves = { input: { create: { width: 200, height: 400, channels: 3, background: "#ffffff" } } } as const;
    await sharp({ create: { width: 400, height: 400, channels: 3, background: "#000000" } })
      .composite([{ ...halves, left: 0, top: 0 }])
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toFile(at("turned.jpg"));
    const made = await make("turned.jpg");
    if (!made.ok) throw new Error(made.reason);
    const { data, info } = await sharp(made.value.jpeg).greyscale().raw().toBuffer({ resolveWithObject: true });
    // Turned by 90 degrees clockwise, the white left half is on top.
    expect(data[info.width * 20 + 200]).toBeGreaterThan(240);
    expect(data[info.width * 500 + 200]).toBeLessThan(15);
  });
  test.each([
    ["bomb.png", "photo-too-many-pixels", () => writeFileSync(at("bomb.png"), makeBomb())],
    ["text.jpg", "photo-not-an-image", () => writeFileSync(at("text.jpg"), "no")],
    ["empty.jpg", "photo-not-an-image", () => writeFileSync(at("empty.jpg"), "")],
    ["script.jpg", "photo-not-an-image", () => writeFileSync(at("script.jpg"), "<svg/>")],
    ["gone.jpg", "photo-unreadable", () => undefined],
    ["link.jpg", "photo-unreadable", () => symlinkSync("/etc/hostname", at("link.jpg"))],
    ["pipe.jpg", "photo-is-not-a-file", () => execFileSync("sh", ["-c", `mkfifo "$0"`, at("pipe.jpg")])],
    ["tiny.jpg", "photo-too-small", () => writePhoto(at("tiny.jpg"), { width: 20, height: 20 })],
  ])("refuses %s: %s", async (name, reason, prepare) => {
    await prepare();
    expect(await make(name)).toEqual({ ok: false, reason });
  });
  test("refuses a file above 20 MB without reading it", async () => {
    writeFileSync(at("big.jpg"), Buffer.from([0xff, 0xd8, 0xff]));
    truncateSync(at("big.jpg"), 1_000_000_000);
    expect(await make("big.jpg")).toEqual({ ok: false, reason: "photo-too-large" });
  });
  test("refuses a photo that is cut off", async () => {
    await writePhoto(at("cut.jpg"), { width: 600, height: 600 });
    truncateSync(at("cut.jpg"), 1200);
    expect(await make("cut.jpg")).toEqual({ ok: false, reason: "photo-not-an-image" });
  });
});

describe("openPhotos() of a folder", () => {
  test("refuses what is neither folder nor ZIP archive", async () => {
    for (const path of [at("text.jpg"), at("nowhere"), at("empty.jpg"), "/dev/zero", at("pipe.jpg")])
      await expect(openPhotos(path)).rejects.toMatchObject({ code: "bad-photos" });
  });
  test("finds a number as whole name or as a piece of it, and no part of a longer number", async () => {
    const photos = mkdtempSync(join(folder, "names-"));
    const sorted = ["00123.jpg", "991234.webp", "SMITH_W4567_1.png"];
    for (const name of [...sorted, "notes.txt", "._00123.jpg"]) writeFileSync(join(photos, name), "");
    const { find, files } = await openPhotos(photos);
    expect(files).toHaveLength(3);
    const names = (number: string) => find([number]).map((place) => sorted[place]);
    expect(names("00123")).toEqual(["00123.jpg"]);
    expect(names("W4567")).toEqual(["SMITH_W4567_1.png"]);
    expect([names("123"), names("1234"), names("1"), names("SMITH"), names("")]).toEqual([[], [], [], [], []]);
  });
});
