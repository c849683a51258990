import names from "./names.json" with { type: "json" };
import places from "./places.json" with { type: "json" };
import posts from "./posts.json" with { type: "json" };
import { type RandomStream, randomStream } from "./random-stream.ts";

export type Look = { readonly tone: "light" | "mid" | "dark"; readonly feminine: boolean };
export type PostSensitivity = "ordinary" | "sensitive" | "covert";

/** A person of the example force, as its HR system would write them out. */
export type InventedPerson = {
  readonly look: Look;
  readonly payNumber: string;
  readonly title: string;
  readonly forenames: string;
  readonly surname: string;
  readonly knownAs: string;
  readonly rank: string;
  readonly role: "Officer" | "Staff";
  readonly collarNumber: string;
  readonly warrantNumber: string;
  readonly unit: string;
  readonly postSensitivity: PostSensitivity;
  readonly contractEnd: string;
  readonly workEmail: string;
  readonly addressLine1: string;
  readonly addressLine2: string;
  readonly postcode: string;
  readonly mobile: string;
  readonly salary: string;
  readonly niNumber: string;
  readonly birthDate: string;
  readonly vettingLevel: string;
};

export type Force = { readonly seed: string; readonly people: number };

const OFFICER_SHARE = 0.62;
const DETECTIVE_SHARE = 0.18;
/** Steps without a factor in common with a power of ten, so that numbers never repeat within it. */
const STEPS = { pay: 7919, warrant: 6151, collar: 3137 } as const;
const POSTCODE_LETTERS = "ABDEFGHJLNPQRSTUWXYZ";

export function inventPerson(force: Force, index: number, postSensitivity: PostSensitivity): InventedPerson {
  const random = randomStream(force.seed, "person", index);
  const { look, forenames, surname, knownAs, title } = inventName(random);
  const officer = random.chance(OFFICER_SHARE);
  const post = officer ? random.pickWeighted(posts.officers) : random.pickWeighted(posts.staff);
  const detective = "detective" in post && random.chance(DETECTIVE_SHARE) ? String(post.detective) : undefined;
  const [lowest = 0, highest = 0] = post.salary;
  return {
    look,
    title,
    forenames,
    surname,
    knownAs,
    payNumber: numberOf(force, index, "pay"),
    rank: detective ?? post.rank,
    role: officer ? "Officer" : "Staff",
    collarNumber: numberOf(force, index, "collar"),
    warrantNumber: officer ? numberOf(force, index, "warrant") : "",
    unit: random.pick(places.units),
    postSensitivity,
    contractEnd: !officer && random.chance(0.12) ? date(random, 2027, 2030) : "",
    workEmail: `${toAscii((knownAs || forenames).split(" ")[0] ?? "")}.${toAscii(surname)}${index}@exampleshire-police.example`,
    addressLine1: `${random.chance(0.1) ? `Flat ${random.between(1, 30)}, ` : ""}${random.between(1, 240)} ${random.pick(places.streets)}`,
    addressLine2: random.pick(places.towns),
    postcode: `XQ${random.between(1, 29)} ${random.between(1, 9)}${random.pick([...POSTCODE_LETTERS])}${random.pick([...POSTCODE_LETTERS])}`,
    mobile: `07700 900${String(random.between(0, 999)).padStart(3, "0")}`,
    salary: String(random.between(lowest / 100, highest / 100) * 100),
    niNumber: `QQ${String(random.between(0, 999_999)).padStart(6, "0")}${random.pick(["A", "B", "C", "D"])}`,
    birthDate: date(random, 1964, 2005),
    vettingLevel: postSensitivity === "ordinary" ? random.pick(posts.vetting) : "MV/DV",
  };
}

function inventName(random: RandomStream) {
  const group = random.pickWeighted(names.groups);
  const feminine = random.chance(0.46);
  const firsts = feminine ? group.feminine : group.masculine;
  const first = random.pick(firsts);
  const middle = random.chance(0.3) ? random.pick(firsts) : "";
  const second = random.chance(0.07) ? random.pick(names.groups.slice(0, 4).flatMap(({ surnames }) => surnames)) : "";
  const surname = random.pick(group.surnames);
  const tones = (["light", "mid", "dark"] as const).map((tone) => ({ tone, weight: group.tones[tone] }));
  return {
    look: { feminine, tone: random.pickWeighted(tones).tone },
    forenames: middle === "" || middle === first ? first : `${first} ${middle}`,
    surname: second === "" || second === surname ? surname : `${surname}-${second}`,
    knownAs: middle !== "" && random.chance(0.25) ? middle : "",
    title: random.chance(0.03) ? "Dr" : feminine ? random.pick(["Ms", "Miss", "Mrs", "Ms"]) : "Mr",
  };
}

/** Room for the rows that are broken on purpose. */
const SPARE_NUMBERS = 100;
const SHORTEST = { pay: 7, warrant: 6, collar: 5 } as const;

/** Distinct for every index, with leading zeros; a pay number is always longer than a warrant number. */
export function numberOf({ seed, people }: Force, index: number, kind: keyof typeof STEPS): string {
  const room = String(people + SPARE_NUMBERS).length;
  const length = Math.max(SHORTEST[kind], room + (kind === "pay" ? 2 : 1));
  const modulus = 10 ** (length - 1);
  const start = randomStream(seed, "numbers", kind).between(0, modulus - 1);
  return String((start + index * STEPS[kind]) % modulus).padStart(length, "0");
}

function date(random: RandomStream, firstYear: number, lastYear: number): string {
  const [day, month] = [random.between(1, 28), random.between(1, 12)].map((part) => String(part).padStart(2, "0"));
  return `${day}/${month}/${random.between(firstYear, lastYear)}`;
}

function toAscii(name: string): string {
  return name
    .normalize("NFD")
    .replace(/ł/gi, "l")
    .replace(/[^A-Za-z-]/g, "")
    .toLowerCase();
}
