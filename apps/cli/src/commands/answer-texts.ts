import { z } from "zod";
import { parseJson } from "../parse-json.ts";
import { toCounts, toTable } from "./plain-lines.ts";

const runsSchema = z.looseObject({
  runs: z.array(
    z.looseObject({
      ...{ run: z.string(), recipient: z.string(), order: z.string(), state: z.string(), until: z.string() },
      ...{ jobs: z.int(), left: z.int() },
    }),
  ),
});

/** `runs show` in words, the newest first. */
export function toRunsText(answer: unknown): string {
  const rows = runsSchema
    .parse(answer)
    .runs.map(({ run, state, recipient, order, jobs, left, until }) => [
      ...[run, state, recipient, order, `${left} of ${jobs}`, until],
    ]);
  return toTable(["run", "state", "recipient", "order", "jobs left", "until"], rows, "No run was ever opened.");
}

const holdsSchema = z.looseObject({
  holds: z.array(
    z.looseObject({
      ...{ id: z.string(), recipient: z.string(), reason: z.string(), placedAt: z.string() },
      detail: z.record(z.string(), z.unknown()),
      liftAskedBy: z.string().nullable(),
    }),
  ),
});

/** `holds list` in words: what stands, why, and whether the first of two people has agreed to lift it. */
export function toHoldsText(answer: unknown): string {
  const rows = holdsSchema.parse(answer).holds.map(({ id, recipient, reason, placedAt, liftAskedBy, detail }) => [
    ...[id, recipient, reason, placedAt, liftAskedBy === null ? "not asked" : "asked, a second person lifts it"],
    Object.entries(detail)
      .map(([name, value]) => (name === "words" ? String(value) : `${name} ${String(value)}`))
      .join("; "),
  ]);
  return toTable(["hold", "recipient", "reason", "since", "lift", "detail"], rows, "No hold stands.");
}

const requestedSchema = z.looseObject({
  requested: z.int(),
  refused: z.array(z.looseObject({ person: z.string(), reason: z.string() })).default([]),
  refusedCount: z.int().default(0),
});

/** `cards request` in words: how many were requested, and for whom no card was, with the reason. */
export function toRequestedText(answer: unknown): string {
  const { requested, refused, refusedCount } = requestedSchema.parse(answer);
  const more = refusedCount - refused.length;
  return [
    `${requested} ${requested === 1 ? "card" : "cards"} requested; somebody else approves: tipstaff cards approve`,
    ...(refusedCount === 0 ? [] : [`${refusedCount} refused:`]),
    ...refused.map(({ person, reason }) => `  ${person}  ${reason}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ].join("\n");
}

const journalSchema = z.looseObject({
  entries: z.array(z.looseObject({ seq: z.int(), at: z.string(), what: z.string(), detail: z.string() })),
});

/** `keyholder journal` in words, in the journal's own order. */
export function toJournalText(answer: unknown): string {
  const rows = journalSchema
    .parse(answer)
    .entries.map(({ seq, at, what, detail }) => [String(seq), at, what, toFields(detail)]);
  return toTable(["entry", "at", "what", "detail"], rows, "The journal has no entry there.");
}

/** A journal entry's detail is JSON; its plain members are told one by one. */
function toFields(detail: string): string {
  const fields = z.record(z.string(), z.unknown()).safeParse(parseJson(detail));
  if (!fields.success) return detail;
  const told = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
  return Object.entries(fields.data)
    .map(([name, value]) => `${name} ${told(value)}`)
    .join(", ");
}

const counts = z.record(z.string(), z.number());
const statusSchema = z.looseObject({
  ...{ recipient: z.string(), force: z.string(), printing: z.boolean() },
  orders: z.array(z.looseObject({ order: z.string(), jobs: z.int(), expiresAt: z.string() })),
  ...{ jobs: counts, refused: counts, receipts: counts },
  uncertain: z.array(z.looseObject({ job: z.string(), line: z.string(), blank: z.string(), at: z.string() })),
  lines: z.array(z.looseObject({ line: z.string(), state: z.string(), job: z.string().nullable() })),
  alarms: z.array(
    z.looseObject({ at: z.string(), kind: z.string(), line: z.string().nullish(), job: z.string().nullish() }),
  ),
});

/** `bureau status` in words: what is under way first, then what an operator must look at. */
export function toBureauText(answer: unknown): string {
  const { recipient, force, printing, orders, jobs, refused, receipts, uncertain, lines, alarms } =
    statusSchema.parse(answer);
  return [
    `Bureau ${recipient}, for ${force}: ${printing ? "printing" : "not printing"}`,
    `Jobs: ${toCounts(jobs)}`,
    `Refused: ${toCounts(refused)}`,
    `Receipts: ${toCounts(receipts)}`,
    ...section(
      "Orders",
      ["order", "jobs", "expires"],
      orders.map((row) => [row.order, String(row.jobs), row.expiresAt]),
    ),
    ...section(
      "Lines",
      ["line", "state", "job"],
      lines.map(({ line, state, job }) => [line, state, job ?? ""]),
    ),
    ...section(
      "Uncertain, to be resolved by looking at the blank",
      ["job", "line", "blank", "since"],
      uncertain.map((row) => [row.job, row.line, row.blank, row.at]),
    ),
    ...section(
      "Alarms",
      ["at", "kind", "line", "job"],
      alarms.map(({ at, kind, line, job }) => [at, kind, line ?? "", job ?? ""]),
    ),
  ].join("\n");
}

function section(title: string, headings: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [`${title}: none`];
  return [`${title}:`, toTable(headings, rows, "").replaceAll(/^/gm, "  ")];
}

const foundSchema = z.looseObject({
  ...{ id: z.string(), presence: z.string(), hasPortrait: z.boolean() },
  details: z.record(z.string(), z.unknown()),
});

/** `people find` in words: the id that other commands ask for, and enough to see that it is the right person. */
export function toPersonText(answer: unknown): string {
  const { id, presence, hasPortrait, details } = foundSchema.parse(answer);
  const told = Object.entries(details).flatMap(([name, value]) =>
    value === null || value === undefined || value === "" ? [] : [[name, String(value)]],
  );
  const portrait = hasPortrait ? "yes" : "no";
  return toTable(["id", id], [["presence", presence], ["portrait", portrait], ...told], "");
}
