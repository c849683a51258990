import { buildCensusMap, type CensusLeaf, type CensusMap } from "@tipstaff/ledger";
import { createFolderStorage } from "@tipstaff/ledger/folder";
import type { Desk } from "../desk.ts";
import { DeskError } from "../server/desk-error.ts";

/** Which census: the number and the root together, so that a census broken off leaves nothing in the next one's way. */
export type CensusName = { readonly seq: number; readonly root: Uint8Array };

type Place = { readonly folders: Pick<Desk["folders"], "openings"> };

const HASH_LENGTH = 32;
const LEAF_LENGTH = 2 * HASH_LENGTH;
/** 4 MiB a file. */
const FILE_LEAVES = 65_536;

const pathOf = ({ seq, root }: CensusName, part: number): string =>
  `census/${seq}-${Buffer.from(root).toString("hex")}/${part}`;

/** Makes a census's leaves durable beside the openings: key ‖ commitment each, by key. They are never written again. */
export async function writeLeaves({ folders }: Place, name: CensusName, leaves: readonly CensusLeaf[]): Promise<void> {
  const records = leaves.map(({ key, commitment }) => Buffer.concat([key, commitment])).sort(Buffer.compare);
  const files = [];
  for (let start = 0; start < Math.max(1, records.length); start += FILE_LEAVES) {
    const bytes = Buffer.concat(records.slice(start, start + FILE_LEAVES));
    files.push({ path: pathOf(name, files.length), bytes });
  }
  await createFolderStorage(folders.openings).writeOnce(files);
}

export type KeptCensus = { readonly leaves: readonly CensusLeaf[]; readonly map: CensusMap };

/** The leaves of a census and its map; throws `broken-invariant` where the folder lost them, or they are others. */
export async function readLeaves({ folders }: Place, name: CensusName): Promise<KeptCensus> {
  const storage = createFolderStorage(folders.openings);
  const leaves: CensusLeaf[] = [];
  for (let part = 0; leaves.length === part * FILE_LEAVES; part += 1) {
    const bytes = await storage.read(pathOf(name, part));
    if (bytes === undefined) break;
    for (let at = 0; at + LEAF_LENGTH <= bytes.length; at += LEAF_LENGTH) {
      leaves.push({
        key: bytes.slice(at, at + HASH_LENGTH),
        commitment: bytes.slice(at + HASH_LENGTH, at + LEAF_LENGTH),
      });
    }
  }
  const map = buildCensusMap(leaves);
  if (!Buffer.from(map.root).equals(name.root)) {
    const words = `The leaves of census ${name.seq} are gone or changed; restore the folder of the openings`;
    throw new DeskError("broken-invariant", words);
  }
  return { leaves, map };
}
