import { expect, test } from "vitest";
import { createSilence } from "./silence.ts";

const turnsUntilTooLong = (silence: ReturnType<typeof createSilence>, most = 100): number | undefined => {
  for (let turn = 1; turn <= most; turn++) if (silence.pass()) return turn;
  return undefined;
};

test("a silence is too long after so many turns, and from then on", () => {
  const silence = createSilence(3);
  expect([silence.pass(), silence.pass(), silence.pass(), silence.pass()]).toEqual([false, false, true, true]);
});

test("whatever is said ends it", () => {
  const silence = createSilence(3);
  for (let round = 0; round < 5; round++) {
    expect([silence.pass(), silence.pass()]).toEqual([false, false]);
    silence.heard("other");
  }
  expect(turnsUntilTooLong(silence)).toBe(3);
});

test("who waits for an answer is not silent, however long that takes, and until the last of them", () => {
  const silence = createSilence(3);
  silence.heard("question");
  silence.heard("question");
  expect(turnsUntilTooLong(silence)).toBeUndefined();
  silence.answered();
  expect(turnsUntilTooLong(silence)).toBeUndefined();
  silence.answered();
  expect(turnsUntilTooLong(silence)).toBe(3);
});
