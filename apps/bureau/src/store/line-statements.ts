import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import type { Flight, LineState } from "../lines/line-state.ts";
import { type Row, required, text } from "./row.ts";

const flightSchema = z.strictObject({
  job: z.string(),
  order: z.string(),
  run: z.string(),
  agreement: z.string(),
  attempt: z.int(),
  previous: z.string(),
  identity: z.string(),
});

export function lineStatements(database: DatabaseSync) {
  const one = database.prepare("select * from lines where line = ?");
  const all = database.prepare("select * from lines order by line");
  const set = database.prepare("update lines set chain = ?, flight = ?, stopped = ? where line = ?");
  return {
    lines: (): LineState[] => all.all().map(toLine),
    line: (line: string): LineState => toLine(required(one.get(line), "line")),
    setLine: (state: LineState): void => {
      const flight = state.flight === undefined ? null : JSON.stringify(state.flight);
      set.run(state.chain, flight, state.stopped ?? null, state.line);
    },
  };
}

function toLine(row: Row): LineState {
  const flight: Flight | undefined =
    typeof row.flight === "string" ? flightSchema.parse(JSON.parse(row.flight)) : undefined;
  const stopped = row.stopped === null ? undefined : "line-forked";
  return { line: text(row, "line"), chain: text(row, "chain"), flight, stopped };
}
