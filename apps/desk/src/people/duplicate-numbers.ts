import type { PersonDetails } from "./person-details.ts";

type Owner = { readonly place: number; readonly line: number };
export type Twin = Owner & { readonly column: "payNumber" | "warrantNumber" };

/** Notices pay and warrant numbers that stand twice in one extract. */
export class DuplicateNumbers {
  readonly #owners = { payNumber: new Map<string, Owner>(), warrantNumber: new Map<string, Owner>() };
  readonly #told = new Set<string>();

  /** Every row, this one included, that is now known to share a number and was not told before. */
  add(place: number, line: number, details: PersonDetails): Twin[] {
    const twins: Twin[] = [];
    for (const column of ["payNumber", "warrantNumber"] as const) {
      const number = details[column];
      if (number === "") continue;
      const owner = this.#owners[column].get(number);
      if (owner === undefined) {
        this.#owners[column].set(number, { place, line });
        continue;
      }
      if (!this.#told.has(`${column}/${owner.place}`)) twins.push({ ...owner, column });
      this.#told.add(`${column}/${owner.place}`);
      twins.push({ place, line, column });
    }
    return twins;
  }
}
