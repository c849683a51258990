/** What is to be done with a row. */
export type RowKind = "refused" | "added" | "changed" | "unchanged";
const KINDS: readonly RowKind[] = ["refused", "added", "changed", "unchanged"];

/** What planning found out about a row, to be used when it is read again. */
export type PlannedRow = {
  readonly kind: RowKind;
  readonly personId: string;
  /** 0 for a person who is added. */
  readonly recordVersion: number;
  readonly payIndex: Buffer;
  readonly warrantIndex: Buffer | null;
  readonly fingerprint: Buffer;
  /** The photo to make a new portrait of, by its place in the folder; -1 for none. */
  readonly photo: number;
};

const LENGTH = 76;
const INDEX_LENGTH = 16;

/** The plan of an import: 76 bytes a row, by the row's place in the extract. */
export class PlanBook {
  #bytes = Buffer.alloc(LENGTH * 1024);
  #rows = 0;

  get rows(): number {
    return this.#rows;
  }

  append(row: PlannedRow): void {
    const at = this.#grow();
    this.#bytes.writeUInt8(KINDS.indexOf(row.kind), at);
    this.#bytes.writeUInt8(row.warrantIndex === null ? 0 : 1, at + 1);
    this.#bytes.writeInt32BE(row.photo, at + 4);
    this.#bytes.writeUInt32BE(row.recordVersion, at + 8);
    this.#bytes.write(row.personId.replaceAll("-", ""), at + 12, "hex");
    row.payIndex.copy(this.#bytes, at + 28);
    row.warrantIndex?.copy(this.#bytes, at + 44);
    row.fingerprint.copy(this.#bytes, at + 60);
  }

  /** A row that was refused when it was read. */
  appendRefused(): void {
    this.#grow();
  }

  #grow(): number {
    const at = this.#rows * LENGTH;
    this.#rows += 1;
    if (at + LENGTH > this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(this.#bytes.length)]);
    return at;
  }

  kind(row: number): RowKind {
    return KINDS[this.#bytes.readUInt8(row * LENGTH)] ?? "refused";
  }

  refuse(row: number): void {
    this.#bytes.writeUInt8(0, row * LENGTH);
  }

  photo(row: number): number {
    return this.kind(row) === "refused" ? -1 : this.#bytes.readInt32BE(row * LENGTH + 4);
  }

  dropPhoto(row: number): void {
    this.#bytes.writeInt32BE(-1, row * LENGTH + 4);
  }

  read(row: number): PlannedRow {
    const at = row * LENGTH;
    const index = (from: number): Buffer => this.#bytes.subarray(at + from, at + from + INDEX_LENGTH);
    const hex = index(12).toString("hex");
    const personId = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
    return {
      kind: this.kind(row),
      personId,
      recordVersion: this.#bytes.readUInt32BE(at + 8),
      payIndex: index(28),
      warrantIndex: this.#bytes.readUInt8(at + 1) === 0 ? null : index(44),
      fingerprint: index(60),
      photo: this.#bytes.readInt32BE(at + 4),
    };
  }
}
