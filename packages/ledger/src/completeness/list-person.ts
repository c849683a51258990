import { equalBytes, toHex } from "../bytes.ts";
import { ENTRY_FIELDS, type SubjectField } from "../entry/fields.ts";
import { entryTag, isOpeningsOf, type Opening, parseLeaf, verifyOpening } from "../entry/leaf.ts";
import { type OpenedPart, openSubject } from "../entry/openings.ts";
import { LedgerError } from "../error.ts";
import type { CompletenessFault } from "./completeness-fault.ts";
import type { EntryIndex } from "./entry-index.ts";
import { isIncluded, type ListedLog } from "./listed-log.ts";
import { type ClaimedCensus, verifyCensuses } from "./verify-censuses.ts";

/** How many numbers together must be nowhere before the search for a person's entries ends. */
const LOOKAHEAD = 64;

/** The keys of one person, 32 bytes each, and the log that is looked through with them. */
export type ListPersonInput = {
  readonly tagKey: Uint8Array;
  readonly auditKey: Uint8Array;
  readonly log: ListedLog;
  /** All censuses up to the checkpoint, in order. */
  readonly censuses: readonly ClaimedCensus[];
};

/** A person's n-th entry, with the proof of its place. */
export type ListedEntry = {
  readonly n: number;
  readonly index: number;
  readonly entry: Uint8Array;
  readonly proof: readonly Uint8Array[];
  /** All fields but the actor, with their salts; `undefined` where a fault says why not. */
  readonly opened: OpenedPart<SubjectField> | undefined;
};

/** What was found, and whether that is all. */
export type PersonHistory = {
  /** One for each place of each number, by number. */
  readonly entries: readonly ListedEntry[];
  readonly faults: readonly CompletenessFault[];
  /** The number of the last census that vouches for the list; without one, dropped last entries would not show. */
  readonly censusSeq: number | undefined;
  readonly complete: boolean;
};

/**
 * Lists every entry about one person and says whether any is missing (docs/spec/census.md, section 5). Costs lookups and
 * proofs for that person's entries and for the censuses, however long the log is. Rejects as the log's readers do.
 */
export const listPerson = async (input: ListPersonInput): Promise<PersonHistory> => {
  const { tagKey, log, censuses } = input;
  const claimed = Math.max(0, ...censuses.map(({ n }) => n ?? 0));
  const places = await findPlaces(tagKey, { index: log.index, atLeast: claimed });
  const faults: CompletenessFault[] = findGaps(places);
  const entries: ListedEntry[] = [];
  for (const [n, indices] of places) {
    for (const index of indices) entries.push(await openEntry(input, { n, index, faults }));
  }
  faults.push(...findOtherSubjects(entries), ...(await verifyCensuses({ tagKey, log, censuses, places })));
  const censusSeq = censuses.findLast(({ n }) => n !== undefined)?.seq;
  return { entries, faults, censusSeq, complete: faults.length === 0 && censusSeq !== undefined };
};

/** By number, where it stands; only numbers that stand somewhere. */
const findPlaces = async (tagKey: Uint8Array, { index, atLeast }: { index: EntryIndex; atLeast: number }) => {
  const places = new Map<number, readonly number[]>();
  // A claimed count may be a lie of any size, and costs no more than the log has entries.
  let last = Math.min(atLeast, index.size);
  for (let n = 1; n <= last + LOOKAHEAD; n++) {
    const found = await index.find(entryTag(tagKey, n));
    if (found.length === 0) continue;
    places.set(n, found);
    last = Math.max(last, n);
  }
  return places;
};

const findGaps = (places: ReadonlyMap<number, readonly number[]>): CompletenessFault[] => {
  const faults: CompletenessFault[] = [];
  const highest = Math.max(0, ...places.keys());
  for (let n = 1; n <= highest; n++) {
    const indices = places.get(n) ?? [];
    if (indices.length === 0) faults.push({ kind: "gap", n });
    if (indices.length > 1) faults.push({ kind: "duplicate", n, indices });
  }
  return faults;
};

const openEntry = async (
  { auditKey, tagKey, log }: ListPersonInput,
  { n, index, faults }: { n: number; index: number; faults: CompletenessFault[] },
): Promise<ListedEntry> => {
  const entry = await log.readEntry(index);
  const proof = await log.prover.inclusion(index);
  const listed = { n, index, entry, proof };
  const { operationId, openingsDigest, tag } = parseLeaf(entry);
  const included = isIncluded(log, { index, entry, proof });
  if (!included || !equalBytes(tag, entryTag(tagKey, n))) faults.push({ kind: "not-included", index });
  const openings = await log.readOpenings(index);
  const fail = (fault: CompletenessFault): ListedEntry => {
    faults.push(fault);
    return { ...listed, opened: undefined };
  };
  if (openings === undefined) return fail({ kind: "openings-missing", n, index });
  if (!isOpeningsOf(entry, openings)) {
    return fail({ kind: "openings-changed", n, index, digest: toHex(openingsDigest) });
  }
  const opened = openStrictly(openings, { operationId, auditKey, entry });
  return opened ? { ...listed, opened } : fail({ kind: "unreadable", n, index });
};

const openStrictly = (
  openings: Uint8Array,
  { operationId, auditKey, entry }: { operationId: Uint8Array; auditKey: Uint8Array; entry: Uint8Array },
): OpenedPart<SubjectField> | undefined => {
  try {
    const opened = openSubject(openings, operationId, auditKey);
    return opened && openingsOf(opened).every((opening) => verifyOpening(entry, opening)) ? opened : undefined;
  } catch (error) {
    if (error instanceof LedgerError && error.code === "openings-malformed") return undefined;
    throw error;
  }
};

/** What was opened of an entry, each field as it can be shown by itself. */
export const openingsOf = ({ fields, salts }: OpenedPart<SubjectField>): readonly Opening[] =>
  ENTRY_FIELDS.flatMap((field) => (field === "actor" ? [] : [{ field, value: fields[field], salt: salts[field] }]));

const findOtherSubjects = (entries: readonly ListedEntry[]): CompletenessFault[] => {
  const subject = entries.find(({ opened }) => opened)?.opened?.fields.subject;
  return entries
    .filter(({ opened }) => opened && opened.fields.subject !== subject)
    .map(({ n, index }) => ({ kind: "other-subject", n, index }));
};
