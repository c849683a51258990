import { randomUUID } from "node:crypto";
import type { Desk } from "../desk.ts";
import { computeIndexes, fingerprintPhotos, type RowIndexes } from "./compute-indexes.ts";
import { DuplicateNumbers, type Twin } from "./duplicate-numbers.ts";
import { inOrder } from "./in-order.ts";
import type { RegisterField } from "./person-details.ts";
import { type PhotoClaim, PhotoClaims } from "./photo-claims.ts";
import type { Photos } from "./photos.ts";
import { PlanBook, type PlannedRow } from "./plan-book.ts";
import { digestPhoto, eachPhoto } from "./portrait.ts";
import { type Batch, type BatchReading, readBatches, type SoundRow } from "./read-batches.ts";
import { findStored, isRegisterEmpty, type StoredPerson } from "./stored-people.ts";

const BATCH_PHOTOS = 1_000;

export type Planning = BatchReading & { readonly photos: Photos | null };

export type ImportPlan = {
  readonly book: PlanBook;
  readonly added: number;
  readonly changed: number;
  readonly unchanged: number;
  readonly rowsRefused: number;
  /** Rows that the workbook hides: whom they name is seen, and stays as it is. */
  readonly rowsHidden: number;
  /** Everybody of the register whom the extract names, also by a row that was refused. */
  readonly seen: ReadonlySet<string>;
  /** How many of them the register holds as present. */
  readonly seenPresent: number;
  /** Records that must be opened: changed details, or another photo of somebody who is in the register. */
  readonly openings: number;
  /** Photos that belong to one sound row and can be read. */
  readonly photosUsed: number;
  readonly photoFaults: number;
};

type Looked = {
  readonly batch: Batch;
  readonly indexes: readonly RowIndexes[];
  readonly stored: readonly StoredPerson[];
  readonly otherPay: readonly Buffer[];
};

/**
 * Reads an extract once through and compares it with the register: what each row means, what is wrong with it, who is
 * seen. Writes nothing but faults. Throws ImportError, KeyholderError.
 */
export async function planImport(desk: Pick<Desk, "pool" | "keyholder">, planning: Planning): Promise<ImportPlan> {
  const planner = new Planner(desk, planning);
  const empty = await isRegisterEmpty(desk.pool);
  const looked = inOrder(readBatches(planning), async (batch) => await look(desk, batch, empty));
  for await (const one of looked) {
    planner.decide(one);
    await planning.faults.flush();
  }
  return await planner.finish();
}

async function look(desk: Pick<Desk, "pool" | "keyholder">, batch: Batch, registerEmpty: boolean): Promise<Looked> {
  const people = batch.sound.map((row) => row.details);
  const { rows, payIndexes } = await computeIndexes(desk.keyholder, people, batch.otherPay);
  const pay = [...rows.map((row) => row.payIndex), ...payIndexes];
  const warrant = rows.flatMap((row) => (row.warrantIndex === null ? [] : [row.warrantIndex]));
  const stored = registerEmpty ? [] : await findStored(desk.pool, pay, warrant);
  return { batch, indexes: rows, stored, otherPay: payIndexes };
}

class Planner {
  readonly #desk: Pick<Desk, "pool" | "keyholder">;
  readonly #planning: Planning;
  readonly #book = new PlanBook();
  readonly #duplicates = new DuplicateNumbers();
  readonly #claims: PhotoClaims;
  readonly #seen = new Set<string>();
  #seenPresent = 0;
  /** Rows of people in the register, with a photo that must be compared. */
  readonly #compare: { readonly place: number; readonly line: number; readonly stored: Buffer | null }[] = [];
  #photoFaults = 0;
  #rowsHidden = 0;

  constructor(desk: Pick<Desk, "pool" | "keyholder">, planning: Planning) {
    this.#desk = desk;
    this.#planning = planning;
    this.#claims = new PhotoClaims(planning.photos);
  }

  decide({ batch, indexes, stored, otherPay }: Looked): void {
    const byPay = new Map(stored.map((person) => [person.payIndex.toString("latin1"), person]));
    const byWarrant = new Map(
      stored.flatMap((person) =>
        person.warrantIndex === null ? [] : [[person.warrantIndex.toString("latin1"), person] as const],
      ),
    );
    for (const pay of otherPay) this.#see(byPay.get(pay.toString("latin1")));
    for (const { payNumber, warrantNumber } of batch.hidden) this.#claims.passOver([payNumber, warrantNumber]);
    this.#rowsHidden += batch.hidden.length;
    let next = batch.first;
    for (const [at, row] of batch.sound.entries()) {
      for (; next < row.place; next += 1) this.#book.appendRefused();
      next = row.place + 1;
      const index = indexes[at];
      if (index === undefined) throw new RangeError("the keyholder answered fewer rows than asked");
      const match = byPay.get(index.payIndex.toString("latin1"));
      const holder = byWarrant.get(index.warrantIndex?.toString("latin1") ?? "");
      this.#see(match);
      this.#append(row, index, { match, heldElsewhere: holder !== undefined && holder.id !== match?.id });
    }
    for (; next < batch.first + batch.rows; next += 1) this.#book.appendRefused();
  }

  #see(person: StoredPerson | undefined): void {
    if (person === undefined || this.#seen.has(person.id)) return;
    this.#seen.add(person.id);
    if (person.present) this.#seenPresent += 1;
  }

  #append(
    row: SoundRow,
    index: RowIndexes,
    { match, heldElsewhere }: { match: StoredPerson | undefined; heldElsewhere: boolean },
  ): void {
    const { line, details, place } = row;
    const twins = this.#duplicates.add(place, line, details);
    const planned: PlannedRow = {
      ...index,
      kind: match === undefined ? "added" : match.fingerprint?.equals(index.fingerprint) ? "unchanged" : "changed",
      personId: match?.id ?? randomUUID(),
      recordVersion: match?.recordVersion ?? 0,
      photo: -1,
    };
    if (heldElsewhere)
      this.#planning.faults.add({ line, column: this.#header("warrantNumber"), reason: "held-by-another-person" });
    if (heldElsewhere || twins.length > 0) this.#book.appendRefused();
    else {
      const photo = this.#claims.claim({ place, line }, [details.payNumber, details.warrantNumber]);
      this.#book.append({ ...planned, photo });
      if (photo >= 0 && match !== undefined) this.#compare.push({ place, line, stored: match.portraitFingerprint });
    }
    for (const twin of twins) this.#refuseTwin(twin);
  }

  /** What the extract calls it, as every other fault does. */
  #header(field: RegisterField): string {
    const source = this.#planning.mapping.fields.get(field);
    return source !== undefined && "header" in source ? source.header : field;
  }

  #refuseTwin(twin: Twin): void {
    this.#planning.faults.add({ line: twin.line, column: this.#header(twin.column), reason: "twice-in-file" });
    if (twin.place < this.#book.rows) this.#book.refuse(twin.place);
  }

  async finish(): Promise<ImportPlan> {
    const { faults } = this.#planning;
    for (const fault of this.#claims.faults()) {
      if (fault.place >= 0) this.#book.dropPhoto(fault.place);
      this.#photoFault(fault);
    }
    await this.#comparePhotos();
    await faults.flush();
    return this.#count();
  }

  #photoFault({ line, reason, column }: Omit<PhotoClaim, "place">): void {
    this.#photoFaults += 1;
    this.#planning.faults.add({ line, column, reason });
  }

  /** A photo that made the portrait which is stored is not worked on again. */
  async #comparePhotos(): Promise<void> {
    const files = this.#planning.photos?.files ?? [];
    for (let start = 0; start < this.#compare.length; start += BATCH_PHOTOS) {
      const rows = this.#compare.slice(start, start + BATCH_PHOTOS).filter(({ place }) => this.#book.photo(place) >= 0);
      const digests = await eachPhoto(rows, async ({ place, line }) => {
        const file = files[this.#book.photo(place)];
        const digest = file === undefined ? undefined : await digestPhoto(file);
        if (digest?.ok) return digest.value;
        this.#book.dropPhoto(place);
        this.#photoFault({ line, column: "photo", reason: digest?.reason ?? "photo-unreadable" });
        return "";
      });
      const fingerprints = await fingerprintPhotos(this.#desk.keyholder, digests);
      for (const [at, { place, stored }] of rows.entries()) {
        const same = stored !== null && fingerprints[at]?.equals(stored);
        if (same && digests[at] !== "") this.#keepPortrait(place);
      }
    }
  }

  #kept = 0;
  #keepPortrait(place: number): void {
    this.#kept += 1;
    this.#book.dropPhoto(place);
  }

  #count(): ImportPlan {
    const counts = { refused: 0, added: 0, changed: 0, unchanged: 0 };
    let openings = 0;
    let photosUsed = this.#kept;
    for (let row = 0; row < this.#book.rows; row += 1) {
      const kind = this.#book.kind(row);
      const photo = this.#book.photo(row) >= 0;
      // Another photo changes the record as much as another rank does.
      counts[kind === "unchanged" && photo ? "changed" : kind] += 1;
      if (kind === "changed" || (kind === "unchanged" && photo)) openings += 1;
      if (photo) photosUsed += 1;
    }
    const { added, changed, unchanged, refused } = counts;
    const more = {
      rowsRefused: refused - this.#rowsHidden,
      rowsHidden: this.#rowsHidden,
      seen: this.#seen,
      seenPresent: this.#seenPresent,
      openings,
      photosUsed,
      photoFaults: this.#photoFaults,
    };
    return { book: this.#book, added, changed, unchanged, ...more };
  }
}
