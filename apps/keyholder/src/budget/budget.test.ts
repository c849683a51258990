import fc from "fast-check";
import { expect, test } from "vitest";
import { type BudgetDay, dayOf, openingsLeft, takeOpenings } from "./budget.ts";

test("takeOpenings() never lets a day's openings pass the budget, whatever is asked in whatever order", () => {
  const step = fc.oneof(
    fc.record({ take: fc.integer({ min: -5, max: 700 }) }),
    fc.record({ raise: fc.integer({ min: 1, max: 300 }) }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 500 }), fc.array(step), (daily, steps) => {
      let day: BudgetDay = { raised: 0, used: 0 };
      let opened = 0;
      for (const next of steps) {
        if ("raise" in next) day = { ...day, raised: day.raised + next.raise };
        else {
          const taken = takeOpenings(daily, day, next.take);
          if (taken.ok) {
            day = taken.day;
            opened += next.take;
          } else expect(next.take < 0 || next.take > taken.left).toBe(true);
        }
        expect(opened).toBeLessThanOrEqual(daily + day.raised);
        expect(openingsLeft(daily, day)).toBe(daily + day.raised - opened);
      }
    }),
  );
});

test("takeOpenings() takes all or none", () => {
  expect(takeOpenings(500, { raised: 0, used: 400 }, 101)).toEqual({ ok: false, left: 100 });
  expect(takeOpenings(500, { raised: 0, used: 400 }, 100)).toEqual({ ok: true, day: { raised: 0, used: 500 } });
});

test("dayOf() begins a new day at midnight UTC", () => {
  expect(dayOf(new Date("2026-05-31T23:59:59.999Z"))).toBe("2026-05-31");
  expect(dayOf(new Date("2026-06-01T00:00:00.000Z"))).toBe("2026-06-01");
});
