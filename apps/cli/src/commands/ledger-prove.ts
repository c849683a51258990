import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  CHECKPOINT_PATH,
  createProver,
  ENTRY_FIELDS,
  encodeShownOpenings,
  encodeTlogProof,
  isOpeningsOf,
  type LogReader,
  type Opening,
  openCheckpoint,
  parseCheckpoint,
  parseSignedNote,
  parseVerifierKey,
  readEntries,
  readOpenings,
  TILE_WIDTH,
  tileReaderOf,
  verifyEvidence,
} from "@tipstaff/ledger";
import { createFolderStorage } from "@tipstaff/ledger/folder";
import type { Command } from "commander";
import pg from "pg";
import { z } from "zod";
import { CliError } from "../cli-error.ts";
import { demandDatabase } from "../services/demand-running.ts";
import { deskDatabaseUrl, type Home } from "../services/installation.ts";
import { type Context, contextOf } from "./context.ts";
import { EVIDENCE_FILES } from "./ledger-evidence.ts";
import { openLog } from "./ledger-place.ts";

type Options = {
  key?: string;
  log?: string;
  openings?: string;
  show?: string;
  subject?: string;
  actor?: string;
  reason?: string;
  out?: string;
};

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const EVERY_EVENT_FIELD = ENTRY_FIELDS.filter((field) => field !== "subject" && field !== "actor").join(",");

export function registerLedgerProve(ledger: Command): void {
  ledger
    .command("prove <entry>")
    .description("write a .tlog-proof of one entry; with --show, an evidence bundle for somebody outside")
    .option("--log <path|url>", "the log; the installation's own when left out")
    .option("--key <key>", "the log's verifier key; the installation's own when left out")
    .option("--show <fields>", `fields to show, as kind,at,job, or "all" (${EVERY_EVENT_FIELD})`)
    .option("--subject <person>", "whom the entry is about, to be shown too")
    .option("--actor <staff>", "who did it, to be shown too")
    .option("--reason <words>", "why fields are shown; stands in the keyholder's journal")
    .option("--openings <folder>", "the sealed openings; the installation's own when left out")
    .option("--out <path>", "file of the proof, or folder of the bundle; in this folder when left out")
    .addHelpText("after", "\nENTRY is an index, an operation id (64 hex digits), or the id of a job: its last release.")
    .action(async (entry: string, options: Options, command: Command) => {
      const context = contextOf(command);
      const result =
        options.show === undefined
          ? await writeProof(context, entry, options)
          : await writeBundle(context, entry, options);
      context.answer(result, `Entry ${result.index} of ${result.size} is proven: ${result.written}`);
    });
}

type Proven = { readonly index: number; readonly size: number; readonly leaf: Uint8Array; readonly proof: Uint8Array };

async function writeProof(context: Context, entry: string, options: Options) {
  const { index, size, proof } = await proveEntry(context, entry, options);
  const written = resolve(options.out ?? `entry-${index}.tlog-proof`);
  writeNew(written, proof);
  return { index, size, written };
}

async function writeBundle(context: Context, entry: string, options: Options) {
  if (!options.reason)
    throw new CliError("bad-input", "Showing fields needs a --reason.", "It stands in the journal, so no names.");
  const proven = await proveEntry(context, entry, options);
  const openings = await openFields(context, proven, options);
  const written = resolve(options.out ?? `evidence-${proven.index}`);
  if (existsSync(written)) throw new CliError("bad-input", `${written} exists.`, "Name another folder with --out.");
  const { settings } = context;
  const verifierKeys = [parseVerifierKey(options.key ?? settings().logVerifierKey)];
  const verdict = verifyEvidence({ proof: proven.proof, verifierKeys, openings });
  if (!verdict.ok)
    throw new CliError(
      "refused",
      `What was opened does not verify (${verdict.reason}).`,
      "Run ledger verify on the log.",
    );
  mkdirSync(written, { recursive: true, mode: 0o700 });
  writeNew(join(written, EVIDENCE_FILES.proof), proven.proof);
  writeNew(join(written, EVIDENCE_FILES.openings), encodeShownOpenings(openings));
  writeNew(join(written, EVIDENCE_FILES.readme), readme(verdict.origin, proven));
  const { index, size } = proven;
  return { index, size, written, shown: openings.map(({ field }) => field) };
}

function writeNew(file: string, content: Uint8Array | string): void {
  if (existsSync(file)) throw new CliError("bad-input", `${file} exists.`, "Name another one with --out.");
  writeFileSync(file, content, { flag: "wx", mode: 0o600 });
}

async function proveEntry({ home, settings }: Context, entry: string, options: Options): Promise<Proven> {
  const log = openLog(options.log ?? home.tiles);
  const checkpoint = await log.read(CHECKPOINT_PATH);
  if (checkpoint === undefined)
    throw new CliError("bad-input", "That log has no checkpoint.", "Is it the right place?");
  const keys = [parseVerifierKey(options.key ?? settings().logVerifierKey)];
  const { origin } = parseCheckpoint(parseSignedNote(checkpoint).text);
  const opened = openCheckpoint(checkpoint, { keys, origin });
  if (!opened.ok)
    throw new CliError("refused", `The log's checkpoint is refused: ${opened.reason}.`, "Is it the right key?");
  const size = Number(opened.checkpoint.size);
  const index = await findIndex(log, { home, entry, size });
  const leaf = await entryAt(log, index, size);
  const audit = await createProver({ size, readTile: tileReaderOf(log) }).inclusion(index);
  const proof = encodeTlogProof({ index: BigInt(index), proof: audit, checkpoint, extra: leaf });
  const verdict = verifyEvidence({ proof, verifierKeys: keys });
  if (!verdict.ok)
    throw new CliError("refused", `The log's tiles do not prove this entry (${verdict.reason}).`, "Run ledger verify.");
  return { index, size, leaf, proof };
}

const bundleOf = (index: number, size: number) => {
  const bundle = Math.floor(index / TILE_WIDTH);
  return { index: bundle, width: Math.min(TILE_WIDTH, size - bundle * TILE_WIDTH) };
};

async function entryAt(log: LogReader, index: number, size: number): Promise<Uint8Array> {
  const leaf = (await readEntries(log, bundleOf(index, size)))[index % TILE_WIDTH];
  if (leaf === undefined) throw new CliError("bad-input", `The log has no entry ${index}.`, `It has ${size}.`);
  return leaf.slice();
}

async function findIndex(
  log: LogReader,
  { home, entry, size }: { home: Home; entry: string; size: number },
): Promise<number> {
  if (/^(0|[1-9][0-9]{0,15})$/.test(entry)) {
    if (Number(entry) < size) return Number(entry);
    throw new CliError("bad-input", `The log has no entry ${entry}.`, `It has ${size}, the first being 0.`);
  }
  const id = UUID.test(entry) ? await lastRelease(home, entry) : entry;
  if (!/^[0-9a-f]{64}$/.test(id)) {
    throw new CliError(
      "bad-input",
      `${entry} names no entry.`,
      "An index, an operation id (64 hex digits), or a job's id.",
    );
  }
  // An operation id follows the version byte of its leaf; no index of them is needed to find one in the public files.
  for (let first = 0; first < size; first += TILE_WIDTH) {
    const leaves = await readEntries(log, bundleOf(first, size));
    const at = leaves.findIndex((leaf) => Buffer.from(leaf.subarray(1, 33)).toString("hex") === id);
    if (at >= 0) return first + at;
  }
  throw new CliError("bad-input", "The log holds no entry of that operation.", "It may not be logged yet.");
}

async function lastRelease(home: Home, job: string): Promise<string> {
  await demandDatabase(home);
  const client = new pg.Client({ connectionString: deskDatabaseUrl(home) });
  try {
    await client.connect();
    const { rows } = await client.query<{ id: string }>(
      "select encode(operation_id, 'hex') as id from release where job_id = $1 order by attempt desc, reserved_at desc limit 1",
      [job],
    );
    const [found] = rows;
    if (found) return found.id;
  } finally {
    await client.end();
  }
  throw new CliError("bad-input", "No release of that job was ever asked for.", "Name another job, or an index.");
}

const shownSchema = z.object({
  openings: z.array(z.object({ field: z.enum(ENTRY_FIELDS), value: z.string(), salt: z.string() })),
});

/** The keyholder opens them, at its console: no key of the log is anywhere else. */
async function openFields(
  context: Context,
  { index, size, leaf }: Proven,
  options: Options,
): Promise<readonly Opening[]> {
  const folder = createFolderStorage(options.openings ?? context.home.openings);
  const openings = (await readOpenings(folder, bundleOf(index, size)))[index % TILE_WIDTH];
  if (openings === undefined || !isOpeningsOf(leaf, openings)) {
    throw new CliError(
      "refused",
      `The openings kept for entry ${index} are not its own.`,
      "Run ledger verify --openings.",
    );
  }
  const { subject, actor, reason, show } = options;
  const wanted = (show === "all" ? EVERY_EVENT_FIELD : (show ?? "")).split(",").map((field) => field.trim());
  const named = [...(subject ? ["subject"] : []), ...(actor ? ["actor"] : [])];
  const answer = await context.console().post("/openings/show", {
    reason,
    leaf: Buffer.from(leaf).toString("base64url"),
    openings: Buffer.from(openings).toString("base64url"),
    fields: [...new Set([...wanted, ...named])],
    ...(subject ? { subject } : {}),
    ...(actor ? { actor } : {}),
  });
  const shown = shownSchema.parse(answer).openings;
  return shown.map(({ salt, ...rest }) => ({ ...rest, salt: Uint8Array.from(Buffer.from(salt, "base64url")) }));
}

function readme(origin: string, { index, size }: Proven): string {
  return `Evidence of one entry in the transparency log ${origin}

${EVIDENCE_FILES.proof}   that entry ${index} stands in the signed log of ${size} entries (c2sp.org/tlog-proof@v1)
${EVIDENCE_FILES.openings}      fields of that entry which are shown, each with the salt of its commitment
                   What is not shown stays hidden: the entry says nothing of it.

To verify it you need this folder, the verifier, and the log's public key. Get the key from the force itself, or from
where the force publishes it, and never from whoever handed you this folder.

    tipstaff ledger verify THIS-FOLDER --key "KEY"

docs/operate/verify-evidence.md says what a verified bundle proves, and what it does not.
`;
}
