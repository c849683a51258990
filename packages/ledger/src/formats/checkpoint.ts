import { fromBase64, toBase64 } from "../bytes.ts";
import { DIGEST_LENGTH } from "../crypto.ts";
import { LedgerError } from "../error.ts";

/** The head of a log: so many entries, with this root. */
export type Checkpoint = {
  readonly origin: string;
  readonly size: bigint;
  readonly root: Uint8Array;
  readonly extensions: readonly string[];
};

const MAX_SIZE = 2n ** 63n;
const malformed = (why: string): LedgerError => new LedgerError("checkpoint-malformed", `checkpoint: ${why}`);

// biome-ignore lint/suspicious/noControlCharactersInRegex: a line of a note may hold none of these.
const isLine = (text: string): boolean => text !== "" && !/[\u0000-\u001f]/.test(text) && text.isWellFormed();

/** Whether a text may name a log: one line, not empty. */
export const isOrigin = (text: string): boolean => isLine(text);

/** The note text of a checkpoint (C2SP tlog-checkpoint, "Note text"); throws `checkpoint-malformed`. */
export const encodeCheckpoint = (checkpoint: {
  origin: string;
  size: number | bigint;
  root: Uint8Array;
  extensions?: readonly string[];
}): string => {
  const { origin, root, extensions = [] } = checkpoint;
  if (typeof checkpoint.size === "number" && !Number.isSafeInteger(checkpoint.size)) {
    throw malformed("its size is no safe integer");
  }
  const size = BigInt(checkpoint.size);
  if (size < 0n || size >= MAX_SIZE) throw malformed("its size must be from 0 up to 2^63 − 1");
  if (root.length !== DIGEST_LENGTH) throw malformed("its root must be 32 bytes");
  if (!isOrigin(origin) || !extensions.every(isLine)) throw malformed("origin and extensions must be lines, not empty");
  return [origin, size, toBase64(root), ...extensions].map((line) => `${line}\n`).join("");
};

/** Reads the text of a checkpoint strictly; throws `checkpoint-malformed` with the reason. */
export const parseCheckpoint = (text: string): Checkpoint => {
  if (!text.endsWith("\n")) throw malformed("it must end in a newline");
  const [origin = "", sizeText = "", rootText = "", ...extensions] = text.slice(0, -1).split("\n");
  if (!isOrigin(origin)) throw malformed("its origin is empty or holds a control character");
  if (!/^(0|[1-9][0-9]{0,18})$/.test(sizeText)) throw malformed("its size is no decimal number without leading zeroes");
  const size = BigInt(sizeText);
  if (size >= MAX_SIZE) throw malformed("its size is over 2^63 − 1");
  const root = fromBase64(rootText);
  if (root === undefined) throw malformed("the base64 of its root is not canonical");
  if (root.length !== DIGEST_LENGTH) throw malformed("its root is not 32 bytes long");
  if (!extensions.every(isLine)) throw malformed("an extension line is empty or holds a control character");
  return { origin, size, root, extensions };
};
