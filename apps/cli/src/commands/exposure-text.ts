import { z } from "zod";

const readings = z.looseObject({ trusted: z.number(), untrusted: z.number() });
const byName = z.record(z.string(), readings);

/** The part of the desk's answer that stands in the text. */
const exposureSchema = z.looseObject({
  recipient: z.string(),
  from: z.string(),
  to: z.string(),
  grades: z.record(z.string(), z.int()),
  byCategory: byName,
  byPostSensitivity: byName,
  byRank: byName,
  personHours: z.looseObject({ digital: readings, physical: readings }),
  declared: z.looseObject({
    people: readings,
    alsoProven: z.int(),
    byCategory: byName,
    byPostSensitivity: byName,
    personHours: readings,
  }),
  unopenable: z.looseObject({ grade: z.string(), entries: z.int(), released: z.int() }),
});

const n = (value: number) => value.toLocaleString("en-GB");
const hours = (value: number) => value.toLocaleString("en-GB", { maximumFractionDigits: 2 });

/** An exposure in words: what the ledger proves first, and what was only declared by itself. */
export function toExposureText(answer: unknown): string {
  const { recipient, from, to, grades, personHours, declared, unopenable, ...told } = exposureSchema.parse(answer);
  const { digital, physical } = personHours;
  return [
    `Exposure at ${recipient}, ${from} to ${to}`,
    ...Object.entries(grades).map(([grade, people]) => `  ${n(people).padStart(8)}  ${grade}`),
    ...(unopenable.entries === 0 ? [] : [toUnopenable(unopenable)]),
    `Person-hours in clear: digital ${hours(digital.trusted)} if its receipts are true, ${hours(digital.untrusted)} if none is; physical ${hours(physical.untrusted)}`,
    ...table("By category", told.byCategory),
    ...table("By post sensitivity", told.byPostSensitivity),
    ...table("By rank", told.byRank),
    ...(declared.people.untrusted === 0 ? [] : toDeclared(declared)),
  ].join("\n");
}

function toUnopenable({ grade, entries, released }: z.infer<typeof exposureSchema>["unopenable"]): string {
  return `  ${n(entries).padStart(8)}  ${grade}: entries of the ledger, not people, added to nothing here; ${n(released)} of them released`;
}

function toDeclared(declared: z.infer<typeof exposureSchema>["declared"]): string[] {
  const { people, alsoProven, personHours } = declared;
  return [
    `Declared, unproven, and added to nothing above: ${n(people.untrusted)} people, ${n(people.trusted)} of them in that window by the declared ends; ${n(alsoProven)} stand above too`,
    `Their person-hours: ${hours(personHours.trusted)} if the declared ends are true, ${hours(personHours.untrusted)} if none is`,
    ...table("Declared, by category", declared.byCategory),
    ...table("Declared, by post sensitivity", declared.byPostSensitivity),
  ];
}

function table(title: string, counts: Readonly<Record<string, { trusted: number; untrusted: number }>>): string[] {
  const rows = Object.entries(counts);
  if (rows.length === 0) return [];
  const line = ([name, { trusted, untrusted }]: (typeof rows)[number]) =>
    `  ${n(trusted).padStart(8)}  ${n(untrusted).padStart(8)}  ${name}`;
  return [`${title} (people: its word trusted, not trusted)`, ...rows.map(line)];
}
