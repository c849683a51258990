import { constants, type Stats } from "node:fs";
import { open, realpath } from "node:fs/promises";
import { basename, dirname, join, resolve, sep } from "node:path";
import { utf8 } from "./bytes.ts";
import { argon2id, type RandomSource, systemRandom } from "./crypto.ts";
import { decodeKeyFile, encodeKeyFile, type KeyFileContent } from "./key-file-format.ts";
import { SealingError } from "./sealing-error.ts";
import { unwrapSecret, wrapSecret } from "./wrapped-secret.ts";

const KEY_NAME = "secret/key-encryption-key";
const SALT_LENGTH = 16;
const MAX_FILE_BYTES = 4096;

export type KeyFilePlace = {
  readonly path: string;
  /** Turned into a key by argon2id (RFC 9106: 64 MiB, 3 passes, 1 lane). */
  readonly passphrase?: string;
  /** Data and backup folders, in which a key file may not lie; they need not exist. */
  readonly forbiddenFolders: readonly string[];
};

/**
 * Makes a key file (0600) with a fresh key-encryption key of 32 bytes, durable when this returns, and answers the key.
 * Throws `key-file-exists`, and `key-file-misplaced` in a forbidden folder.
 */
export const createKeyFile = async (place: KeyFilePlace, random: RandomSource = systemRandom): Promise<Uint8Array> => {
  await assertPlace(place);
  const key = random(32);
  const text = encodeKeyFile(await protect(key, place.passphrase, random));
  const file = await open(place.path, "wx", 0o600).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "EEXIST") throw cause;
    throw new SealingError("key-file-exists", "there is a key file already; a new key would make all data unreadable");
  });
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await syncFolder(dirname(place.path));
  return key;
};

/**
 * Reads a key file's key-encryption key. Throws `key-file-missing`, `key-file-exposed` (others than its owner may read
 * it, or it is another user's, or no plain file), `key-file-misplaced`, `key-file-malformed`, `passphrase-required`,
 * `passphrase-wrong`.
 */
export const openKeyFile = async (place: KeyFilePlace): Promise<Uint8Array> => {
  await assertPlace(place);
  const content = decodeKeyFile(await readOwnFile(place.path));
  if (content.protection === "none") return content.key;
  if (place.passphrase === undefined) {
    throw new SealingError("passphrase-required", "the key file is under a passphrase: give the file that holds it");
  }
  const passphraseKey = await argon2id(utf8(place.passphrase), content.salt);
  try {
    return unwrapSecret(passphraseKey, KEY_NAME, content.wrapped);
  } catch (cause) {
    throw new SealingError("passphrase-wrong", "the passphrase does not open the key file", { cause });
  }
};

const protect = async (
  key: Uint8Array,
  passphrase: string | undefined,
  random: RandomSource,
): Promise<KeyFileContent> => {
  if (passphrase === undefined) return { protection: "none", key };
  if (passphrase === "") throw new SealingError("invalid-input", "a passphrase must not be empty");
  const salt = random(SALT_LENGTH);
  const passphraseKey = await argon2id(utf8(passphrase), salt);
  return { protection: "argon2id", salt, wrapped: wrapSecret(passphraseKey, KEY_NAME, key, random) };
};

const readOwnFile = async (path: string): Promise<string> => {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") throw new SealingError("key-file-missing", "there is no key file here");
    throw exposed("cannot be opened as a plain file of this user");
  });
  try {
    assertOwn(await file.stat());
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
};

const exposed = (why: string): SealingError => new SealingError("key-file-exposed", `the key file ${why}`);

const assertOwn = (stats: Stats): void => {
  if (!stats.isFile()) throw exposed("is no plain file");
  if ((stats.mode & 0o077) !== 0) throw exposed("can be read by others than its owner; set its mode to 0600");
  if (process.geteuid !== undefined && stats.uid !== process.geteuid()) throw exposed("belongs to another user");
  if (stats.size > MAX_FILE_BYTES) throw new SealingError("key-file-malformed", "the key file is too long to be one");
};

const assertPlace = async ({ path, forbiddenFolders }: KeyFilePlace): Promise<void> => {
  const real = await realPathOf(path);
  for (const folder of forbiddenFolders) {
    const forbidden = await realPathOf(folder);
    if (real === forbidden || real.startsWith(forbidden.endsWith(sep) ? forbidden : forbidden + sep)) {
      throw new SealingError("key-file-misplaced", "the key file must not lie inside a data or backup folder");
    }
  }
};

/** The path without links, also where its last parts do not exist yet. */
const realPathOf = async (path: string): Promise<string> => {
  const absolute = resolve(path);
  try {
    return await realpath(absolute);
  } catch {
    const parent = dirname(absolute);
    return parent === absolute ? absolute : join(await realPathOf(parent), basename(absolute));
  }
};

const syncFolder = async (path: string): Promise<void> => {
  const folder = await open(path, constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
};
