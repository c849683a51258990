import type { Desk } from "../desk.ts";
import { computeDeclared, type DeclaredExposure } from "./compute-declared.ts";
import { computeExposure, type Exposure } from "./compute-exposure.ts";
import { countUnopenable, type Unopenable } from "./count-unopenable.ts";
import type { FactsReader } from "./facts-reader.ts";
import { type Asking, countNeverReleased, loadDeclared, loadDisclosures } from "./load-disclosures.ts";

export type ToldExposure = Exposure & {
  readonly recipient: string;
  readonly from: Date;
  readonly to: Date;
  /** Added to nothing else: it was declared, and nothing proves it. */
  readonly declared: DeclaredExposure;
  /** Added to nothing else: nobody knows whose they are, nor whether they are disclosures. */
  readonly unopenable: Unopenable;
};

/** The set of (person, category) that a recipient had in clear, or could have had, in a window. */
export async function tellExposure(desk: Desk, reader: FactsReader, asking: Asking): Promise<ToldExposure> {
  const { recipient, from } = asking;
  // Nobody knows what comes after this moment.
  const to = new Date(Math.min(asking.to.getTime(), desk.now().getTime() + 1));
  const [disclosures, neverReleased, declarations, unopenable] = await Promise.all([
    loadDisclosures(desk, reader, { ...asking, to }),
    countNeverReleased(desk, { ...asking, to }),
    loadDeclared(desk, reader, { ...asking, to }),
    countUnopenable(desk, { ...asking, to }),
  ]);
  const window = { fromMs: from.getTime(), toMs: Math.max(from.getTime(), to.getTime()) };
  const proven = new Set(disclosures.map(({ pseudonym }) => pseudonym));
  const declared = computeDeclared(declarations, window, proven);
  const others = { neverReleased, unproven: declared.people.untrusted };
  return { recipient, from, to, ...computeExposure(disclosures, window, others), declared, unopenable };
}
