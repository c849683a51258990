import type { CensusLeaf, CensusProof } from "@tipstaff/ledger";
import { createFolderStorage } from "@tipstaff/ledger/folder";
import type { Desk } from "../desk.ts";
import { DeskError } from "../server/desk-error.ts";
import type { MapThread } from "./map-thread.ts";

/** Which census: the number and the root together, so that a census broken off leaves nothing in the next one's way. */
export type CensusName = { readonly seq: number; readonly root: Uint8Array };

type Place = { readonly folders: Pick<Desk["folders"], "openings"> };

const HASH_LENGTH = 32;
/** key ‖ commitment. */
const LEAF_LENGTH = 2 * HASH_LENGTH;
/** 4 MiB a file. */
const FILE_BYTES = 65_536 * LEAF_LENGTH;

const pathOf = ({ seq, root }: CensusName, part: number): string =>
  `census/${seq}-${Buffer.from(root).toString("hex")}/${part}`;

/** Leaves as they are kept: 64 bytes each, by key. */
export function encodeLeaves(leaves: readonly CensusLeaf[]): Uint8Array {
  const records = leaves.map(({ key, commitment }) => Buffer.concat([key, commitment]));
  return Buffer.concat(records.sort(Buffer.compare));
}

export function parseLeaves(bytes: Uint8Array): CensusLeaf[] {
  return Array.from({ length: Math.floor(bytes.length / LEAF_LENGTH) }, (_, at) => {
    const start = at * LEAF_LENGTH;
    const middle = start + HASH_LENGTH;
    return { key: bytes.slice(start, middle), commitment: bytes.slice(middle, start + LEAF_LENGTH) };
  });
}

/** Makes a census's leaves durable beside the openings. They are never written again. */
export async function writeLeaves({ folders }: Place, name: CensusName, bytes: Uint8Array): Promise<void> {
  const files = [];
  for (let start = 0; start === 0 || start < bytes.length; start += FILE_BYTES) {
    files.push({ path: pathOf(name, files.length), bytes: bytes.subarray(start, start + FILE_BYTES) });
  }
  await createFolderStorage(folders.openings).writeOnce(files);
}

/** The leaves of a census, and what its map says of a key; throws `broken-invariant` where the folder lost or changed them. */
export async function readCensus(
  { folders }: Place,
  name: CensusName,
  { thread, key }: { thread: MapThread; key?: Uint8Array },
): Promise<{ readonly leaves: Uint8Array; readonly proof: CensusProof | undefined }> {
  const storage = createFolderStorage(folders.openings);
  const parts: Uint8Array[] = [];
  for (let last = FILE_BYTES; last === FILE_BYTES; ) {
    const part = await storage.read(pathOf(name, parts.length));
    if (part !== undefined) parts.push(part);
    last = part?.length ?? 0;
  }
  const leaves = Buffer.concat(parts);
  const built = await thread.build(leaves, key);
  if (built === undefined || !Buffer.from(built.root).equals(name.root)) {
    const words = `The leaves of census ${name.seq} are gone or changed; restore the folder of the openings`;
    throw new DeskError("broken-invariant", words);
  }
  return { leaves, proof: built.proof };
}
