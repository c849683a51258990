import { toonHead } from "@dicebear/collection";
import { createAvatar } from "@dicebear/core";
import sharp from "sharp";
import type { Look } from "./invent-person.ts";

/** A drawn head and shoulders on nothing: straight RGBA, and how large it is. */
export type Face = { readonly widthPx: number; readonly heightPx: number; readonly rgba: Uint8Array };

const SIDE_PX = 550;
const WIDTH_PX = 450;
const HEIGHT_PX = 540;

const SKIN: Readonly<Record<Look["tone"], readonly string[]>> = {
  light: ["f1c3a5", "f3d0b8", "eeb995", "e8b592"],
  mid: ["c68e7a", "b98e6a", "c99d78", "b07d58"],
  dark: ["a36b4f", "8a5a41", "714532", "5c3829"],
};
const HAIR: Readonly<Record<Look["tone"], readonly string[]>> = {
  light: ["2c1b18", "4a2f22", "724133", "a55728", "b58143", "d6b370", "8c8c88"],
  mid: ["15110f", "2c1b18", "3a2620"],
  dark: ["15110f", "1f1614", "2c1b18"],
};
const CLOTHES = ["23324f", "2f3b45", "1d4f57", "545454", "6b2737", "3d5a3c", "e8e9e6", "0b3286"];

/** The same key gives the same face. Toon Head by Johan Melin, CC BY 4.0 (see NOTICE.md). */
export async function drawFace(key: string, { tone, feminine }: Look): Promise<Face> {
  const svg = createAvatar(toonHead, {
    seed: key,
    skinColor: [...SKIN[tone]],
    hairColor: [...HAIR[tone]],
    clothesColor: CLOTHES,
    clothes: feminine
      ? ["turtleNeck", "openJacket", "shirt", "tShirt", "dress"]
      : ["turtleNeck", "openJacket", "shirt", "tShirt"],
    mouth: ["smile", "smile", "laugh"],
    eyes: ["happy", "happy", "wide"],
    eyebrows: ["happy", "neutral", "raised"],
    hair: feminine ? ["bun", "sideComed"] : ["sideComed", "undercut", "spiky"],
    rearHair: ["longStraight", "longWavy", "shoulderHigh", "neckHigh"],
    rearHairProbability: feminine ? 85 : 0,
    beard: ["chin", "chinMoustache", "fullBeard"],
    beardProbability: feminine ? 0 : 35,
  }).toString();
  const { data, info } = await sharp(Buffer.from(svg))
    .resize(SIDE_PX, SIDE_PX)
    .extract({ left: (SIDE_PX - WIDTH_PX) / 2, top: SIDE_PX - HEIGHT_PX, width: WIDTH_PX, height: HEIGHT_PX })
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { widthPx: info.width, heightPx: info.height, rgba: data };
}
