import decodeQR from "qr/decode.js";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { composeCard } from "./create-composer.ts";
import { toPreviewPng } from "./preview.ts";
import { samplePerson, sampleTemplate } from "./sample-card.ts";

async function preview(seal: string | undefined, page: 1 | 2, kind?: string) {
  const card = composeCard({ template: await sampleTemplate(kind), person: await samplePerson(), seal });
  if (!card.ok) throw new Error(card.reason);
  return toPreviewPng(card.pdf, { page });
}

describe("toPreviewPng()", () => {
  it("renders a face at 300 dpi", async () => {
    expect(await sharp(await preview(undefined, 1)).metadata()).toMatchObject({
      format: "png",
      width: 1011,
      height: 638,
    });
  });

  it.each(["warrant-card", "staff-pass"])("shows a seal on the back of a %s that a reader can read", async (kind) => {
    const seal = `TS1:${"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789".repeat(7)}`;
    const image = sharp(await preview(seal, 2, kind))
      .removeAlpha()
      .raw();
    const { data, info } = await image.toBuffer({ resolveWithObject: true });
    expect(decodeQR({ width: info.width, height: info.height, data })).toBe(seal);
  });

  it("prints the portrait where the layout has it", async () => {
    const { data, info } = await sharp(await preview(undefined, 1))
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    const at = (Math.round((30 / 53.98) * info.height) * info.width + Math.round((16 / 85.6) * info.width)) * 3;
    const [red = 0, green = 0, blue = 0] = data.subarray(at, at + 3);
    expect([Math.abs(red - 0x88) < 6, Math.abs(green - 0x99) < 6, Math.abs(blue - 0xaa) < 6]).toEqual([
      true,
      true,
      true,
    ]);
  });

  it("refuses bytes that are not a PDF, and resolutions out of bounds", async () => {
    await expect(toPreviewPng(new Uint8Array(10), { page: 1 })).rejects.toThrow();
    await expect(toPreviewPng(new Uint8Array(10), { page: 1, dpi: 10_000 })).rejects.toThrow(RangeError);
  });
});
