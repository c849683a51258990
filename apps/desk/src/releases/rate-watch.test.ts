import { expect, it } from "vitest";
import { createRateWatch, MAX_EARLY } from "./rate-watch.ts";

const asked = { recipient: "cardmaker", line: "line-1", retryAfterSeconds: 1 };

it("a line that comes back when it was told to never trips", () => {
  const watch = createRateWatch();
  for (let second = 0; second < 500; second += 1) {
    expect(watch.note({ ...asked, nowMs: second * 1000 })).toBe(false);
  }
});

it("many lines that come back when they were told to never trip", () => {
  const watch = createRateWatch();
  for (let second = 0; second < 100; second += 1) {
    for (let line = 0; line < 64; line += 1) {
      expect(watch.note({ ...asked, line: `line-${line}`, nowMs: second * 1000 + line })).toBe(false);
    }
  }
});

it("a recipient that asks on although it was told when to come back trips within a minute", () => {
  const watch = createRateWatch();
  const notes = Array.from({ length: MAX_EARLY + 2 }, (_, at) => watch.note({ ...asked, nowMs: at }));
  expect(notes.indexOf(true)).toBe(MAX_EARLY + 1);
});

it("requests that came early an hour ago are forgotten", () => {
  const watch = createRateWatch();
  for (let at = 0; at < 10 * MAX_EARLY; at += 1) {
    const nowMs = at * 5000 + (at % 2 === 0 ? 0 : -4900);
    expect(watch.note({ ...asked, nowMs })).toBe(false);
  }
});
