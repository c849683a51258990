import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, describe, expect, it } from "vitest";
import { runControls } from "./controls.ts";
import { hammingDistance, perceptualHash } from "./perceptual-hash.ts";

const folder = mkdtempSync(join(tmpdir(), "tipstaff-controls-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("runControls()", () => {
  it("finds everything that it planted in clear", async () => {
    const controls = await runControls(folder);
    expect(controls.length).toBeGreaterThanOrEqual(7);
    expect(controls.filter((control) => !control.found)).toEqual([]);
  });
});

describe("perceptualHash()", () => {
  const picture = (x: number, fill: string) =>
    sharp(
      Buffer.from(
        `<svg xmlns="http://www.w3.org/2000/svg" width="413" height="531"><rect width="413" height="531" fill="#ddd"/><ellipse cx="${x}" cy="250" rx="90" ry="150" fill="${fill}"/></svg>`,
      ),
    );

  it("stays near when a picture is scaled and re-encoded", async () => {
    const original = await perceptualHash(picture(200, "#532"));
    const copy = await picture(200, "#532").resize(200).jpeg({ quality: 50 }).toBuffer();
    expect(hammingDistance(original, await perceptualHash(sharp(copy)))).toBeLessThanOrEqual(6);
  });

  it("lies far apart for another picture", async () => {
    const [one, other] = await Promise.all([perceptualHash(picture(90, "#532")), perceptualHash(picture(330, "#eee"))]);
    expect(hammingDistance(one, other)).toBeGreaterThan(6);
  });
});
