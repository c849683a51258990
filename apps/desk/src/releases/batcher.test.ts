import { expect, it } from "vitest";
import { createBatcher, type Gathering } from "./batcher.ts";

const NEVER_MS = 2 ** 30;

/** A batcher whose batches stay open until they are ended one by one. */
function openBatches(gather?: Gathering, max = 100) {
  const batches: (readonly number[])[] = [];
  let ends: (() => void)[] = [];
  const ask = createBatcher({
    max,
    ...(gather === undefined ? {} : { gather }),
    work: async (items: readonly number[]) => {
      batches.push(items);
      await new Promise<void>((resolve) => ends.push(resolve));
      return items.map((item) => item * 10);
    },
  });
  const endAll = () => {
    for (const end of ends) end();
    ends = [];
  };
  return { ask, batches, endAll };
}

/** Until all that can happen without more items or a timer has happened. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

const range = (from: number, count: number) => Array.from({ length: count }, (_, at) => from + at);

it("each item gets its own answer, in batches of no more than `max`", async () => {
  const { ask, batches, endAll } = openBatches(undefined, 3);
  const answers = Promise.all(range(0, 5).map(ask));
  await settle();
  expect(batches).toEqual([[0, 1, 2]]);
  endAll();
  await settle();
  endAll();
  expect(await answers).toEqual([0, 10, 20, 30, 40]);
  expect(batches).toEqual([
    [0, 1, 2],
    [3, 4],
  ]);
});

it("while it is not busy nobody waits to be joined by others", async () => {
  const { ask, batches, endAll } = openBatches({ enough: 4, longestMs: NEVER_MS, isBusy: () => false });
  for (const item of range(0, 3)) {
    const answer = ask(item);
    await settle();
    endAll();
    expect(await answer).toBe(item * 10);
  }
  expect(batches).toEqual([[0], [1], [2]]);
});

it("while it is busy a batch waits until it has enough", async () => {
  const { ask, batches, endAll } = openBatches({ enough: 4, longestMs: NEVER_MS, isBusy: () => true });
  const answers = range(10, 3).map(ask);
  await settle();
  expect(batches).toEqual([]);
  answers.push(ask(13));
  await settle();
  expect(batches).toEqual([[10, 11, 12, 13]]);
  endAll();
  expect(await Promise.all(answers)).toEqual([100, 110, 120, 130]);
});

it("no batch waits longer than `longestMs`", async () => {
  const { ask, batches, endAll } = openBatches({ enough: 4, longestMs: 1, isBusy: () => true });
  const answer = ask(10);
  await expect.poll(() => batches.length, { timeout: 20_000 }).toBe(1);
  endAll();
  expect(await answer).toBe(100);
});

it("a batch that fails fails all of its items and no others", async () => {
  const ask = createBatcher({
    max: 2,
    work: async (items: readonly number[]) => {
      if (items.includes(1)) throw new Error("broken");
      return items;
    },
  });
  const ended = await Promise.allSettled(range(0, 4).map(ask));
  expect(ended.map(({ status }) => status)).toEqual(["rejected", "rejected", "fulfilled", "fulfilled"]);
});

it("a batch that answers fewer than it was asked fails, and answers nobody another's answer", async () => {
  const ask = createBatcher({ max: 9, work: async (items: readonly number[]) => items.slice(1) });
  const ended = await Promise.allSettled(range(0, 3).map(ask));
  expect(ended.every(({ status }) => status === "rejected")).toBe(true);
});
