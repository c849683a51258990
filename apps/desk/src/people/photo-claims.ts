import type { PhotoFaultReason, Photos } from "./photos.ts";

/** A photo that cannot be used: for the row at `place`, or (-1) for none. */
export type PhotoClaim = {
  readonly place: number;
  readonly line: number | null;
  readonly column: string;
  readonly reason: PhotoFaultReason;
};

/** Gives each row its photo; one photo never goes to two rows, nor two to one. */
export class PhotoClaims {
  readonly #photos: Photos | null;
  readonly #owners = new Map<number, { readonly place: number; readonly line: number }>();
  readonly #passed = new Set<number>();
  readonly #faults: PhotoClaim[] = [];

  constructor(photos: Photos | null) {
    this.#photos = photos;
  }

  /** The place of the row's photo among them; -1 where it has none that can be used. */
  claim(row: { readonly place: number; readonly line: number }, numbers: readonly string[]): number {
    const found = this.#photos?.find(numbers) ?? [];
    const [photo] = found;
    if (this.#photos === null || photo === undefined) return -1;
    for (const one of found) {
      const owner = this.#owners.get(one);
      if (owner === undefined) this.#owners.set(one, row);
      else {
        this.#fault(owner, "photo-of-two-people");
        this.#fault(row, "photo-of-two-people");
        return -1;
      }
    }
    const refused = found.length > 1 ? "two-photos" : this.#photos.files[photo]?.refused;
    if (refused === undefined) return photo;
    this.#fault(row, refused);
    return -1;
  }

  /** Photos of these numbers are somebody's, but are not to be used now. */
  passOver(numbers: readonly string[]): void {
    for (const place of this.#photos?.find(numbers) ?? []) this.#passed.add(place);
  }

  #fault(row: { readonly place: number; readonly line: number }, reason: PhotoFaultReason): void {
    this.#faults.push({ ...row, column: "photo", reason });
  }

  /** All that was wrong, once every row has claimed; a photo that nobody claimed among it. */
  faults(): PhotoClaim[] {
    const files = this.#photos?.files ?? [];
    const left = files.flatMap((file, at) => {
      if (this.#owners.has(at) || this.#passed.has(at)) return [];
      // The name holds a number, so the photo is told by its place among them all, sorted.
      const column = `photo file ${at + 1} by name`;
      return [{ place: -1, line: null, column, reason: file.refused ?? ("photo-of-nobody" as const) }];
    });
    return [...this.#faults, ...left];
  }
}
