import { randomBytes } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { createZipOnce } from "./zip-once.ts";

const text = (n: number) => Buffer.from(`entry ${n} `.repeat(2000));

describe("createZipOnce()", () => {
  test("gzips what becomes shorter, once, and nothing that does not", async () => {
    const zip = createZipOnce();
    const first = await zip("a", text(1));
    expect(first && gunzipSync(first).equals(text(1))).toBe(true);
    expect(await zip("a", text(1))).toBe(first);
    const hashes = randomBytes(8192);
    expect(await zip("b", hashes)).toBeUndefined();
    // Remembered by its digest: other bytes under the same one are not looked at again.
    expect(await zip("b", text(1))).toBeUndefined();
    expect(await zip("empty", new Uint8Array(0))).toBeUndefined();
  });

  test("remembers the latest asked for alone, within its bytes", async () => {
    const length = (await createZipOnce()("x", text(1)))?.length ?? 0;
    const zip = createZipOnce(2 * (length + 256) + 100);
    const [a, b] = [await zip("a", text(1)), await zip("b", text(2))];
    expect(await zip("a", text(1))).toBe(a);
    await zip("c", text(3));
    expect(await zip("a", text(1))).toBe(a);
    expect(await zip("b", text(2))).not.toBe(b);
  });

  test("keeps nothing that is larger than all of its bytes", async () => {
    const zip = createZipOnce(10);
    const first = await zip("a", text(1));
    expect(first).toBeDefined();
    expect(await zip("a", text(1))).not.toBe(first);
  });

  test("asked twice at once gzips once", async () => {
    const zip = createZipOnce();
    const [one, two] = await Promise.all([zip("a", text(1)), zip("a", text(1))]);
    expect(one).toBeDefined();
    expect(two).toBe(one);
  });

  test("holds no more memory for a file than it counts", async () => {
    const zipped = await createZipOnce()("a", text(1));
    expect(zipped?.length).toBeLessThan(1000);
    expect(zipped?.buffer.byteLength).toBe(zipped?.length);
  });
});
