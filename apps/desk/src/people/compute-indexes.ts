import type { KeyholderClient } from "@tipstaff/release-protocol/node";
import type { IndexedField } from "@tipstaff/sealing";
import { ImportError } from "./import-error.ts";
import { type PersonDetails, toCanonicalRow } from "./person-details.ts";

/** What the keyholder makes of a sound row. */
export type RowIndexes = {
  readonly payIndex: Buffer;
  readonly warrantIndex: Buffer | null;
  readonly fingerprint: Buffer;
};

const FOR_IMPORT = { purpose: "import", reference: "import" } as const;

const decode = (text: string | undefined): Buffer => Buffer.from(text ?? "", "base64url");

/**
 * Blind indexes and fingerprints of sound rows, and blind indexes of further pay numbers, in one question.
 * Throws KeyholderError.
 */
export async function computeIndexes(
  keyholder: KeyholderClient,
  people: readonly PersonDetails[],
  payNumbers: readonly string[],
): Promise<{ rows: RowIndexes[]; payIndexes: Buffer[] }> {
  const number = (field: IndexedField, value: string) => ({ field, value });
  const pay = (value: string) => number("pay", value);
  const officers = people.filter((person) => person.warrantNumber !== "");
  const answer = await keyholder.call("indexes/compute", {
    ...FOR_IMPORT,
    numbers: [
      ...people.map((person) => pay(person.payNumber)),
      ...officers.map((person) => number("warrant", person.warrantNumber)),
      ...payNumbers.map(pay),
    ],
    rows: people.map(toCanonicalRow),
  });
  if (!answer.ok) throw indexBudgetExceeded(answer.left);
  let warrant = people.length;
  const rows = people.map((person, at) => ({
    payIndex: decode(answer.numbers[at]),
    warrantIndex: person.warrantNumber === "" ? null : decode(answer.numbers[warrant++]),
    fingerprint: decode(answer.rows[at]),
  }));
  return { rows, payIndexes: answer.numbers.slice(people.length + officers.length).map(decode) };
}

/** Keyed fingerprints of photos, from the SHA-256 (hex) of their files. Throws KeyholderError. */
export async function fingerprintPhotos(keyholder: KeyholderClient, digests: readonly string[]): Promise<Buffer[]> {
  if (digests.length === 0) return [];
  const rows = digests.map((digest) => JSON.stringify(["portrait/v1", digest]));
  const answer = await keyholder.call("indexes/compute", { ...FOR_IMPORT, numbers: [], rows });
  if (!answer.ok) throw indexBudgetExceeded(answer.left);
  return answer.rows.map(decode);
}

function indexBudgetExceeded(left: number): ImportError {
  const words = `The keyholder has computed nearly all the indexes that imports may ask of it in one day; ${left} are left.`;
  const todo = "Nothing was imported. Import again tomorrow, or start the keyholder with a larger --index-budget.";
  return new ImportError("budget-exceeded", `${words} ${todo}`);
}
