import { decodeUtf8, fromBase64, toBase64, utf8 } from "../bytes.ts";
import { LedgerError } from "../error.ts";
import { HASH_LENGTH } from "../tree/hashes.ts";
import { parseCheckpoint } from "./checkpoint.ts";
import { parseSignedNote } from "./signed-note.ts";

/** A proof that can be carried around: an entry's place, its audit path, and the checkpoint that this leads to. */
export type TlogProof = {
  readonly index: bigint;
  readonly proof: readonly Uint8Array[];
  /** The signed note, byte for byte. */
  readonly checkpoint: Uint8Array;
  /** Whatever the application put there. Nothing signs it. */
  readonly extra?: Uint8Array;
};

const HEAD = "c2sp.org/tlog-proof@v1";
/** Longest proof file, in bytes: a note of 1 MiB, 64 hashes, and extra data. */
const MAX_BYTES = 2 * 1_048_576;
const MAX_HASHES = 63;
const MAX_INDEX = 2n ** 63n - 1n;

const malformed = (why: string): LedgerError => new LedgerError("proof-malformed", `tlog-proof: ${why}`);

/** The bytes of a proof file (C2SP tlog-proof, "Format"); throws `proof-malformed` for what `parseTlogProof` would refuse. */
export const encodeTlogProof = ({ index, proof, checkpoint, extra }: TlogProof): Uint8Array => {
  const lines = [HEAD, ...(extra ? [`extra ${toBase64(extra)}`] : []), `index ${index}`, ...proof.map(toBase64)];
  const bytes = utf8(`${lines.join("\n")}\n\n${decodeUtf8(checkpoint) ?? ""}`);
  parseTlogProof(bytes);
  return bytes;
};

/** Reads a proof file strictly; throws `proof-malformed`, `note-malformed` or `checkpoint-malformed`. Proves nothing yet. */
export const parseTlogProof = (bytes: Uint8Array): TlogProof => {
  if (bytes.length > MAX_BYTES) throw malformed(`it is longer than ${MAX_BYTES} bytes`);
  const text = decodeUtf8(bytes);
  if (text === undefined) throw malformed("it is not valid UTF-8");
  const split = text.indexOf("\n\n");
  if (split < 0) throw malformed("no blank line parts the proof from its checkpoint");
  const [head, ...lines] = text.slice(0, split).split("\n");
  if (head !== HEAD) throw malformed(`its first line must be "${HEAD}"`);
  const extra = lines[0]?.startsWith("extra ") ? parseExtra(lines.shift() ?? "") : undefined;
  const index = parseIndex(lines.shift() ?? "");
  if (lines.length > MAX_HASHES) throw malformed(`it has more than ${MAX_HASHES} hashes`);
  const checkpoint = utf8(text.slice(split + 2));
  const { size } = parseCheckpoint(parseSignedNote(checkpoint).text);
  if (index >= size) throw malformed("its index lies beyond the tree of its checkpoint");
  return { index, proof: lines.map(parseHash), checkpoint, ...(extra ? { extra } : {}) };
};

const parseExtra = (line: string): Uint8Array => {
  const extra = fromBase64(line.slice("extra ".length));
  if (extra === undefined) throw malformed("the base64 of its extra data is not canonical");
  return extra;
};

const parseIndex = (line: string): bigint => {
  const [, digits] = /^index (0|[1-9][0-9]{0,18})$/.exec(line) ?? [];
  if (digits === undefined) throw malformed('it must say "index" and a decimal number without leading zeroes');
  const index = BigInt(digits);
  if (index > MAX_INDEX) throw malformed("its index is over 2^63 − 1");
  return index;
};

const parseHash = (line: string): Uint8Array => {
  const hash = fromBase64(line);
  if (hash === undefined) throw malformed("the base64 of a hash is not canonical");
  if (hash.length !== HASH_LENGTH) throw malformed("a hash is not 32 bytes long");
  return hash;
};
