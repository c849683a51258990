import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import { type Force, type InventedPerson, inventPerson, numberOf, type PostSensitivity } from "./invent-person.ts";
import { randomStream } from "./random-stream.ts";

type Column = readonly [header: string, cell: (person: InventedPerson) => string];

/** Header for header as HR systems write them; the last nine should never have been in an extract for cards. */
const COLUMNS: readonly Column[] = [
  ["Pay No", (person) => person.payNumber],
  ["Title", (person) => person.title],
  ["Forename(s)", (person) => person.forenames],
  ["Surname", (person) => person.surname],
  ["Known As", (person) => person.knownAs],
  ["Rank/Grade", (person) => person.rank],
  ["Officer/Staff", (person) => person.role],
  ["Collar No", (person) => person.collarNumber],
  ["Warrant No", (person) => person.warrantNumber],
  ["Unit", (person) => person.unit],
  ["Post Sensitivity", (person) => person.postSensitivity],
  ["Contract End Date", (person) => person.contractEnd],
  ["Work Email", (person) => person.workEmail],
  ["Home Addr Line 1", (person) => person.addressLine1],
  ["Home Addr Line 2", (person) => person.addressLine2],
  ["Postcode", (person) => person.postcode],
  ["Mobile", (person) => person.mobile],
  ["Annual Salary (£)", (person) => person.salary],
  ["NI Number", (person) => person.niNumber],
  ["Date of Birth", (person) => person.birthDate],
  ["Vetting Level", (person) => person.vettingLevel],
];

const SENSITIVE_SHARE = 0.04;
const COVERT_SHARE = 0.005;
/** However small the force is, some of it shows what becomes of covert posts. */
const FEWEST_COVERT = [
  { people: 100, covert: 3 },
  { people: 20, covert: 2 },
  { people: 1, covert: 0 },
] as const;

export type ExampleForce = Force & { person(index: number): InventedPerson; readonly covert: number };

export function inventForce(force: Force): ExampleForce {
  const covert = chooseCovert(force);
  const sensitivity = (index: number): PostSensitivity => {
    if (covert.has(index)) return "covert";
    return randomStream(force.seed, "sensitive", index).chance(SENSITIVE_SHARE) ? "sensitive" : "ordinary";
  };
  return { ...force, covert: covert.size, person: (index) => inventPerson(force, index, sensitivity(index)) };
}

function chooseCovert({ seed, people }: Force): ReadonlySet<number> {
  const share = Math.round(people * COVERT_SHARE);
  const fewest = FEWEST_COVERT.find((size) => people >= size.people)?.covert ?? 0;
  const wanted = Math.max(fewest, share);
  const random = randomStream(seed, "covert");
  const chosen = new Set<number>();
  while (chosen.size < wanted) chosen.add(random.between(0, people - 1));
  return chosen;
}

/** Every good person of the force, then the broken rows: UTF-8 with BOM, commas, CRLF. Returns how many are broken. */
export async function writeRows(force: ExampleForce, file: string): Promise<number> {
  const stream = createWriteStream(file);
  const done = finished(stream);
  stream.write(`\uFEFF${COLUMNS.map(([header]) => quote(header)).join(",")}\r\n`);
  const write = async (person: InventedPerson) => {
    const more = stream.write(`${COLUMNS.map(([, cell]) => quote(cell(person))).join(",")}\r\n`);
    if (!more) await once(stream, "drain");
  };
  for (let index = 0; index < force.people; index++) await write(force.person(index));
  const broken = breakRows(force);
  for (const person of broken) await write(person);
  stream.end();
  await done;
  return broken.length;
}

/** Rows as real extracts have them, none of which may enter the register; the two that share a number share it with nobody else. */
function breakRows(force: ExampleForce): InventedPerson[] {
  const extra = (offset: number) => inventPerson(force, force.people + offset, "ordinary");
  const shared = numberOf(force, force.people + 3, "pay");
  return [
    { ...extra(0), payNumber: "" },
    { ...extra(1), contractEnd: "31/02/2028" },
    { ...extra(2), rank: "" },
    { ...extra(3), payNumber: shared },
    { ...extra(4), payNumber: shared },
    { ...extra(5), payNumber: "SEE FILE!" },
  ];
}

const quote = (cell: string) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
