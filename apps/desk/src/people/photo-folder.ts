import { opendir, stat } from "node:fs/promises";
import { join } from "node:path";
import { ImportError } from "./import-error.ts";
import { toNumber } from "./row.ts";

/** Why a photo is not used. Closed, and free of the file's name, which holds a number. */
export type PhotoFaultReason =
  | "photo-is-link"
  | "photo-is-not-a-file"
  | "photo-of-nobody"
  | "photo-of-two-people"
  | "two-photos"
  | "photo-too-large"
  | "photo-too-many-pixels"
  | "photo-too-small"
  | "photo-not-an-image"
  | "photo-unreadable";

export type PhotoFile = {
  readonly path: string;
  /** Set where the file may not even be opened. */
  readonly refused: PhotoFaultReason | undefined;
};

/** The photos of a folder, found by the numbers in their names. */
export type PhotoFolder = {
  readonly files: readonly PhotoFile[];
  /** Places in `files` whose name holds one of these numbers. */
  readonly find: (numbers: readonly string[]) => readonly number[];
};

const EXTENSION = /\.(jpe?g|png|webp)$/i;
/** A shorter piece of a name ("IMG_1 (2)") is no number of a person, unless it is the whole name. */
const MIN_PIECE_LENGTH = 4;
const MAX_FILES = 1_000_000;

/**
 * Lists a folder of photos, without following links and without opening anything. Other files are passed over: a
 * folder may hold a read-me. Throws ImportError `bad-photos`.
 */
export async function openPhotoFolder(folder: string): Promise<PhotoFolder> {
  const found = await stat(folder).catch((cause: unknown) => {
    throw bad("does not exist or cannot be read", cause);
  });
  if (!found.isDirectory()) throw bad("is not a folder; unpack it first");
  const names: { name: string; refused: PhotoFaultReason | undefined }[] = [];
  for await (const entry of await opendir(folder)) {
    if (!EXTENSION.test(entry.name)) continue;
    if (names.length >= MAX_FILES) throw bad(`holds more than ${MAX_FILES} photos`);
    const refused = entry.isSymbolicLink() ? "photo-is-link" : entry.isFile() ? undefined : "photo-is-not-a-file";
    names.push({ name: entry.name, refused });
  }
  names.sort((a, b) => (a.name < b.name ? -1 : 1));
  const places = new Map<string, number[]>();
  names.forEach(({ name }, place) => {
    for (const number of numbersIn(name)) places.set(number, [...(places.get(number) ?? []), place]);
  });
  return {
    files: names.map(({ name, refused }) => ({ path: join(folder, name), refused })),
    find: (numbers) => [...new Set(numbers.flatMap((number) => (number === "" ? [] : (places.get(number) ?? []))))],
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

function bad(words: string, cause?: unknown): ImportError {
  return new ImportError("bad-photos", `The folder of photos ${words}.`, cause === undefined ? {} : { cause });
}
