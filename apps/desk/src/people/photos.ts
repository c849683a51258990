import { toNumber } from "./cell-rules.ts";
import { ImportError } from "./import-error.ts";

/** Why a photo is not used. Closed, and free of the file's name, which holds a number. */
export type PhotoFaultReason =
  | "photo-is-link"
  | "photo-is-not-a-file"
  | "photo-name-unsafe"
  | "photo-of-nobody"
  | "photo-of-two-people"
  | "two-photos"
  | "photo-too-large"
  | "photo-too-many-pixels"
  | "photo-too-small"
  | "photo-not-an-image"
  | "photo-unknown-compression"
  | "photo-unreadable"
  | "archive-in-archive";

export type PhotoAnswer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: PhotoFaultReason };

export type Photo = {
  /** Set where it may not even be opened. */
  readonly refused: PhotoFaultReason | undefined;
  /** Its bytes, at most MAX_PHOTO_BYTES of them. */
  readonly read: () => Promise<PhotoAnswer<Buffer>>;
};

/** The photos of a folder or an archive, found by the numbers in their names. */
export type Photos = {
  /** In the order of their names. */
  readonly files: readonly Photo[];
  /** Places in `files` whose name holds one of these numbers. */
  readonly find: (numbers: readonly string[]) => readonly number[];
  readonly close: () => void;
};

export const MAX_PHOTOS = 1_000_000;
export const MAX_PHOTO_BYTES = 20 * 1024 ** 2;

const EXTENSION = /\.(jpe?g|png|webp)$/i;
/** A shorter piece of a name ("IMG_1 (2)") is no number of a person, unless it is the whole name. */
const MIN_PIECE_LENGTH = 4;

/** Is it a photo by its name? What else a folder holds is passed over: a read-me, or a Macintosh's `._` beside each file. */
export function isPhotoName(name: string): boolean {
  return EXTENSION.test(name) && !name.startsWith("._");
}

export type NamedPhoto = Photo & {
  /** Without folders. */
  readonly name: string;
  /** What the photos are sorted by; the name, where it says no more. */
  readonly path?: string;
};

export function indexPhotos(named: NamedPhoto[], close: () => void): Photos {
  named.sort((a, b) => ((a.path ?? a.name) < (b.path ?? b.name) ? -1 : 1));
  const places = new Map<string, number[]>();
  named.forEach(({ name }, place) => {
    if (!isPhotoName(name)) return;
    for (const number of numbersIn(name)) {
      const others = places.get(number);
      if (others === undefined) places.set(number, [place]);
      else others.push(place);
    }
  });
  return {
    files: named,
    find: (numbers) => [...new Set(numbers.flatMap((number) => (number === "" ? [] : (places.get(number) ?? []))))],
    close,
  };
}

function numbersIn(name: string): Set<string> {
  const whole = toNumber(name.replace(EXTENSION, ""));
  const pieces = name
    .replace(EXTENSION, "")
    .split(/[\s_,;()+-]+/)
    .map(toNumber)
    .filter((piece) => piece.length >= MIN_PIECE_LENGTH && /\d/.test(piece));
  return new Set([whole, ...pieces]);
}

export function badPhotos(words: string, cause?: unknown): ImportError {
  return new ImportError("bad-photos", `The photos cannot be read: ${words}.`, cause === undefined ? {} : { cause });
}
