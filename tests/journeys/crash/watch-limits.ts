import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { z } from "zod";
import type { LimitSample } from "./observed.ts";

const EVERY_MS = 40;

/** A job counts from its reservation on, unless every release of it was cancelled. */
const COUNTING = `
  select job.id, job.line, job.scanned_at, exists (select from receipt where receipt.job_id = job.id) answered
  from job where exists (select from release where release.job_id = job.id and release.state <> 'cancelled')`;

const SAMPLE = `
  with counting as (${COUNTING})
  select
    coalesce((select sum(unaccounted)::int from recipient_state), 0) unaccounted,
    (select count(*)::int from counting where scanned_at is null) "trulyUnaccounted",
    coalesce((select jsonb_object_agg(line, n) from
      (select line, count(*)::int n from counting where not answered group by line) by_line), '{}') "openByLine"`;

const sampleSchema = z.object({
  unaccounted: z.int(),
  trulyUnaccounted: z.int(),
  openByLine: z.record(z.string(), z.int()),
});

/** Looks at the limits all the time, from a connection of its own that comes back after the database does. */
export function watchLimits(databaseUrl: string): { stop: () => Promise<readonly LimitSample[]> } {
  const samples: LimitSample[] = [];
  let on = true;
  const watching = (async () => {
    while (on) {
      const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 1000 });
      // Told through the failing query too; without a listener it would end this process.
      client.on("error", () => undefined);
      try {
        await client.connect();
        while (on) {
          const { rows } = await client.query(SAMPLE);
          samples.push({ at: new Date().toISOString(), ...sampleSchema.parse(rows[0]) });
          await sleep(EVERY_MS);
        }
      } catch (error) {
        // The database was killed, or its connection with it: go on when it is back. Another error is a defect.
        if (error instanceof z.ZodError) throw error;
        await sleep(EVERY_MS);
      } finally {
        await client.end().catch(() => undefined);
      }
    }
  })();
  return {
    stop: async () => {
      on = false;
      await watching;
      return samples;
    },
  };
}
