import { expect, test } from "vitest";
import { releaseAnswerSchema } from "./bureau-messages.ts";

const { checkpoint } = releaseAnswerSchema.shape;
const base64Length = (bytes: number) => 4 * Math.ceil(bytes / 3);

test("a checkpoint with sixteen signatures of the longest kind, under the longest names, fits an answer; a longer text does not", () => {
  // "— ", a name, a space, base64 of key id, time and an ML-DSA-44 signature (C2SP tlog-cosignature), a newline.
  const line = `— ${"n".repeat(255)} ${"A".repeat(base64Length(4 + 8 + 2420))}\n`;
  const text = `${"o".repeat(255)}\n${2n ** 63n - 1n}\n${"A".repeat(base64Length(32))}\n`;
  const note = `${text}\n${line.repeat(16)}`;
  expect([line.length, text.length, note.length]).toEqual([3503, 321, 56_370]);
  expect(checkpoint.safeParse(note).success).toBe(true);
  expect(checkpoint.safeParse("x".repeat(65_537)).success).toBe(false);
});
