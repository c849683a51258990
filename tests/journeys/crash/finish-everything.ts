import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { z } from "zod";
import { insist, tryOnce } from "./insist.ts";
import type { Faults, Production } from "./production.ts";
import { HangError } from "./within.ts";

/** Nothing moved for so long: it hangs. Longer than any wait that the processes allow themselves. */
const STANDSTILL_SECONDS = 60;
const ANSWER_SECONDS = 30;
const SETTLE_SECONDS = 30;
const POLL_MS = 250;
const CARDS_STILL_OUT = 5;

const progressSchema = z.object({ ended: z.int(), free: z.int(), unsettled: z.int() });
const PROGRESS = `select
  (select count(*)::int from job where state in ('produced', 'spoiled', 'cancelled', 'expired')) ended,
  (select count(*)::int from job j where state in ('sealed', 'released') and not exists (
     select from run_job rj join run r on r.id = rj.run_id where rj.job_id = j.id and r.state = 'open')) free,
  (select count(*)::int from receipt where not counted) + (select count(*)::int from accounted_queue) unsettled`;

export type Looked = { readonly uncertain: number; readonly holds: readonly string[]; readonly approved: number };

/** An operator and two people of security look after whatever waits for a person. */
export async function lookAround(
  production: Production,
  { cardsStillOut }: { cardsStillOut: number },
): Promise<Looked> {
  const uncertain = await insist(ANSWER_SECONDS, "resolve", production.resolveUncertain);
  await insist(ANSWER_SECONDS, "receive", () => production.receive(cardsStillOut));
  const approved = await insist(ANSWER_SECONDS, "approve", production.approveAttempts);
  const holds = await insist(ANSWER_SECONDS, "lift", production.liftHolds);
  return { uncertain, holds, approved };
}

/** Prints on, with nobody killed any more, until every job of the order ended; throws HangError when nothing moves. */
export async function finishEverything(given: {
  production: Production;
  databaseUrl: string;
  order: { readonly order: string; readonly jobs: number };
}): Promise<Looked> {
  const { production, databaseUrl, order } = given;
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const read = async () => progressSchema.parse((await client.query(PROGRESS)).rows[0]);
  let total: Looked = { uncertain: 0, holds: [], approved: 0 };
  const printing = backgroundPrinting(production);
  try {
    let last = { ended: -1, at: Date.now() };
    for (let now = await read(); now.ended < order.jobs; now = await read()) {
      if (now.ended > last.ended) last = { ended: now.ended, at: Date.now() };
      if (Date.now() - last.at > STANDSTILL_SECONDS * 1000) {
        throw new HangError(`${order.jobs - now.ended} jobs did not move for ${STANDSTILL_SECONDS} s`);
      }
      if (now.free > 0) await insist(ANSWER_SECONDS, "open a run", () => production.openRun(order.order, now.free));
      total = add(total, await lookAround(production, { cardsStillOut: 0 }));
      printing.goOn();
      await sleep(POLL_MS);
    }
    await printing.end();
    total = add(total, await lookAround(production, { cardsStillOut: CARDS_STILL_OUT }));
    const deadline = Date.now() + SETTLE_SECONDS * 1000;
    while ((await read()).unsettled > 0) {
      if (Date.now() > deadline) throw new HangError("the keyholder was not told of every receipt and scan");
      await sleep(POLL_MS);
    }
    return total;
  } finally {
    await client.end();
  }
}

/** One print call after another; a failure that is none of a process coming and going is thrown by `end` or `goOn`. */
export function backgroundPrinting(production: Production) {
  let running: Promise<void> | undefined;
  let failure: unknown;
  const check = () => {
    if (failure !== undefined) throw failure;
  };
  return {
    goOn: (faults?: Faults): void => {
      check();
      running ??= tryOnce(() => production.print(faults)).then(
        () => {
          running = undefined;
        },
        (error: unknown) => {
          failure = error;
          running = undefined;
        },
      );
    },
    end: async (): Promise<void> => {
      await running;
      check();
    },
  };
}
export type BackgroundPrinting = ReturnType<typeof backgroundPrinting>;

export const add = (a: Looked, b: Looked): Looked => ({
  uncertain: a.uncertain + b.uncertain,
  holds: [...a.holds, ...b.holds],
  approved: a.approved + b.approved,
});
