import { decodeUtf8, fromBase64, toBase64, utf8 } from "../bytes.ts";
import { LedgerError } from "../error.ts";
import { HASH_LENGTH } from "../tree/hashes.ts";

/** What a witness is asked: to cosign this checkpoint, which extends the tree of the old size. */
export type AddCheckpoint = {
  readonly oldSize: bigint;
  /** RFC 6962, section 2.1.2; empty from size 0, and for the same size. */
  readonly proof: readonly Uint8Array[];
  /** The signed note, byte for byte. */
  readonly checkpoint: Uint8Array;
};

const MAX_PROOF_HASHES = 63;
const MAX_SIZE = 2n ** 63n - 1n;

const malformed = (why: string): LedgerError =>
  new LedgerError("witness-request-malformed", `add-checkpoint request: ${why}`);

/** A size in decimal, without leading zeroes and below 2^63; `undefined` for anything else. */
export const parseSize = (text: string): bigint | undefined => {
  if (!/^(0|[1-9][0-9]{0,18})$/.test(text)) return undefined;
  const size = BigInt(text);
  return size <= MAX_SIZE ? size : undefined;
};

/** The body of an add-checkpoint request (C2SP tlog-witness). */
export const encodeAddCheckpoint = ({ oldSize, proof, checkpoint }: AddCheckpoint): Uint8Array =>
  utf8(`${[`old ${oldSize}`, ...proof.map(toBase64)].join("\n")}\n\n${decodeUtf8(checkpoint) ?? ""}`);

/** Reads such a body strictly; throws `witness-request-malformed`. The checkpoint is not looked into. */
export const parseAddCheckpoint = (bytes: Uint8Array): AddCheckpoint => {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw malformed("it is not valid UTF-8");
  const split = text.indexOf("\n\n");
  if (split < 0) throw malformed("no blank line parts the proof from the checkpoint");
  const [first = "", ...lines] = text.slice(0, split).split("\n");
  const oldSize = first.startsWith("old ") ? parseSize(first.slice("old ".length)) : undefined;
  if (oldSize === undefined) throw malformed('it must begin with "old" and a size without leading zeroes');
  if (lines.length > MAX_PROOF_HASHES) throw malformed(`its proof has more than ${MAX_PROOF_HASHES} hashes`);
  const proof = lines.map((line) => {
    const hash = fromBase64(line);
    if (hash?.length !== HASH_LENGTH) throw malformed("a line of its proof is not 32 bytes in canonical base64");
    return hash;
  });
  return { oldSize, proof, checkpoint: utf8(text.slice(split + 2)) };
};
