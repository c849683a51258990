import { readFileSync } from "node:fs";
import {
  type ClaimedCensus,
  createProver,
  type EntryIndex,
  type ListedLog,
  type LogReader,
  listPerson,
  openCheckpoint,
  type PersonHistory,
  parseLeaf,
  parseLogKey,
  readEntries,
  TILE_WIDTH,
  tileReaderOf,
} from "@tipstaff/ledger";
import { z } from "zod";
import { CliError } from "../cli-error.ts";
import { withIndexOnDisk } from "./index-on-disk.ts";

const bytes = (encoding: "hex" | "base64") =>
  z.string().transform((text) => Uint8Array.from(Buffer.from(text, encoding)));
const key = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .transform((text) => Uint8Array.from(Buffer.from(text, "hex")));
const shown = z.strictObject({ value: z.string(), salt: key });
const place = { index: z.int().min(0), leaf: bytes("base64"), proof: z.array(bytes("base64")).max(63) };

const fileSchema = z.strictObject({
  version: z.literal(1),
  origin: z.string(),
  checkpoint: z.string(),
  tagKey: key,
  auditKey: key,
  entries: z.array(z.strictObject({ ...place, n: z.int().min(1), openings: bytes("base64") })),
  censuses: z.array(
    z.strictObject({
      ...place,
      seq: z.int().min(1),
      ...{ kind: shown, detail: shown },
      n: z.int().min(0).nullable(),
      map: z.strictObject({
        end: z.strictObject({ key, commitment: key }).nullable(),
        siblings: z.array(bytes("base64")).max(256),
      }),
    }),
  ),
});
export type PersonHistoryFile = z.infer<typeof fileSchema>;

/** Reads a person's history; throws CliError `bad-input` for what is none. */
export function readHistoryFile(file: string): PersonHistoryFile {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    throw new CliError("bad-input", `${file} cannot be read as JSON.`, "Name the file of tipstaff people history.");
  }
  const parsed = fileSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const places = parsed.error.issues.map(({ path }) => path.join(".") || "the file").join(", ");
  throw new CliError("bad-input", `${file} is no history of a person: ${places}.`, "Was it changed, or cut short?");
}

export type CheckedHistory =
  | { readonly ok: true; readonly size: number; readonly history: PersonHistory }
  | { readonly ok: false; readonly reason: "checkpoint-refused" | "other-log" };

/**
 * Holds a history against a log, or, without one, against its own proofs alone. The log is read as it was at the
 * history's checkpoint; what came later is not its matter.
 */
export async function checkHistory(
  file: PersonHistoryFile,
  { log, verifierKey }: { log: LogReader | undefined; verifierKey: string },
): Promise<CheckedHistory> {
  const keys = [parseLogKey(verifierKey)];
  const opened = openCheckpoint(Buffer.from(file.checkpoint, "utf8"), { keys, origin: file.origin });
  if (!opened.ok) return { ok: false, reason: "checkpoint-refused" };
  const { root } = opened.checkpoint;
  const size = Number(opened.checkpoint.size);
  const { tagKey, auditKey } = file;
  const censuses = file.censuses.map(toClaimed);
  const judge = async (listed: ListedLog): Promise<CheckedHistory> => {
    return { ok: true, size, history: await listPerson({ tagKey, auditKey, log: listed, censuses }) };
  };
  if (log === undefined) return judge(fromFile(file, { size, root }));
  const prover = createProver({ size, readTile: tileReaderOf(log) });
  if (!Buffer.from(await prover.root()).equals(root)) return { ok: false, reason: "other-log" };
  return withIndexOnDisk({ log, size }, (index) => judge(fromLog(log, { file, root, prover, index })));
}

type Under = { readonly size: number; readonly root: Uint8Array };

function fromLog(
  log: LogReader,
  { file, root, prover, index }: Pick<ListedLog, "root" | "prover" | "index"> & { file: PersonHistoryFile },
): ListedLog {
  const { size } = prover;
  return {
    ...{ root, index, prover },
    readEntry: async (at) => {
      const bundle = Math.floor(at / TILE_WIDTH);
      const entries = await readEntries(log, {
        index: bundle,
        width: Math.min(TILE_WIDTH, size - bundle * TILE_WIDTH),
      });
      return (entries[at % TILE_WIDTH] ?? new Uint8Array(0)).slice();
    },
    readOpenings: async (at) => file.entries.find((entry) => entry.index === at)?.openings,
  };
}

function fromFile(file: PersonHistoryFile, { size, root }: Under): ListedLog {
  const places = new Map([...file.entries, ...file.censuses].map((one) => [one.index, one]));
  return {
    root,
    index: indexOf(file, size),
    prover: {
      size,
      root: async () => root,
      inclusion: async (index) => places.get(index)?.proof ?? [],
      consistency: async () => [],
    },
    readEntry: async (index) => places.get(index)?.leaf ?? new Uint8Array(0),
    readOpenings: async (index) => file.entries.find((entry) => entry.index === index)?.openings,
  };
}

/** By each leaf's own tag and operation id, whatever the file says beside it. */
function indexOf({ entries, censuses }: PersonHistoryFile, size: number): EntryIndex {
  const found = new Map<string, number[]>();
  for (const { index, leaf } of [...entries, ...censuses]) {
    for (const id of idsOf(leaf)) found.set(id, [...(found.get(id) ?? []), index]);
  }
  return { size, find: async (id) => found.get(Buffer.from(id).toString("hex")) ?? [] };
}

function idsOf(leaf: Uint8Array): readonly string[] {
  try {
    const { tag, operationId } = parseLeaf(leaf);
    return [tag, operationId].map((id) => Buffer.from(id).toString("hex"));
  } catch {
    return [];
  }
}

function toClaimed({ seq, index, kind, detail, n, map }: PersonHistoryFile["censuses"][number]): ClaimedCensus {
  return {
    ...{ seq, index, n: n ?? undefined },
    kind: { field: "kind", ...kind },
    detail: { field: "detail", ...detail },
    proof: { end: map.end ?? undefined, siblings: map.siblings },
  };
}
