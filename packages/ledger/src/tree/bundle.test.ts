import { describe, expect, test } from "vitest";
import { encodeBundle, parseBundle } from "./bundle.ts";

const bundle = encodeBundle([new Uint8Array(10), new Uint8Array(0), new Uint8Array(300)]);
const refusal = (why: string) => expect.objectContaining({ code: "bundle-malformed", message: `entry bundle: ${why}` });

describe("parseBundle() of a bundle that is not of its length", () => {
  test.each([
    [0, "the length of entry 0 must stand at byte 0, and it ends at byte 0"],
    [11, "entry 0 begins at byte 0 and must end at byte 12, and it ends at byte 11"],
    [12, "the length of entry 1 must stand at byte 12, and it ends at byte 12"],
    [15, "the length of entry 2 must stand at byte 14, and it ends at byte 15"],
    [315, "entry 2 begins at byte 14 and must end at byte 316, and it ends at byte 315"],
  ])("names, cut to %i bytes, the first entry that is not whole", (length, why) => {
    expect(() => parseBundle(bundle.subarray(0, length), 3)).toThrow(refusal(why));
  });

  test("names the length that it must have, where more stands behind its entries", () => {
    const why = "it must be 316 bytes long, as its 3 entries are, and is 317";
    expect(() => parseBundle(Uint8Array.from([...bundle, 0]), 3)).toThrow(refusal(why));
    const two = "it must be 14 bytes long, as its 2 entries are, and is 316";
    expect(() => parseBundle(bundle, 2)).toThrow(refusal(two));
  });

  test("names the entry after the last, where another width is asked for", () => {
    for (const width of [4, 256, 2 ** 40]) {
      const why = "the length of entry 3 must stand at byte 316, and it ends at byte 316";
      expect(() => parseBundle(bundle, width)).toThrow(refusal(why));
    }
  });
});
