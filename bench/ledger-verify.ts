import { spawn } from "node:child_process";
import { createHash, hash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { adoptChild } from "../apps/cli/src/services/processes.ts";
import {
  CHECKPOINT_PATH,
  createNoteSigner,
  edgeRoot,
  emptyEdge,
  encodeCheckpoint,
  extendEdge,
  LEAF_LENGTH,
  type LogFile,
  parseVerifierKey,
  signNote,
  verifyLog,
} from "../packages/ledger/src/index.ts";
import { createFolderStorage } from "../packages/ledger/src/storage/folder-storage.ts";
import { type Measurement, peakMemoryMib, secondsOf } from "./measure.ts";

const VERIFY_TARGET = 0.5;
const MEMORY_TARGET_MIB = 48;
const ROUNDS = 3;
const BATCH = 4096;
const FLOOR_LEAVES = 102_400;
const BUNDLE = 256;

const signer = createNoteSigner("bench.example/log", new Uint8Array(32).fill(7));
const verifierKeys = [parseVerifierKey(signer.verifierKey)];

/** Leaves of one operation each: what else they say is the same, and no verifier without openings can tell. */
function leavesFrom(first: number, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, at) => {
    const leaf = new Uint8Array(LEAF_LENGTH).fill(1);
    new DataView(leaf.buffer).setUint32(1, first + at);
    return leaf;
  });
}

/** A log in a folder that grows, its files derived by the package; no database, and nothing synced. */
function createGrowingLog(folder: string): { growTo: (size: number) => void } {
  let edge = emptyEdge;
  const folders = new Set<string>();
  const write = ({ path, bytes }: LogFile): void => {
    const file = join(folder, path);
    if (!folders.has(dirname(file))) mkdirSync(dirname(file), { recursive: true });
    folders.add(dirname(file));
    writeFileSync(file, bytes);
  };
  return {
    growTo: (size) => {
      /** The partial files of the size that is wanted, by what they are part of; those of sizes before it nobody needs. */
      const partial = new Map<string, LogFile>();
      while (edge.size < size) {
        const { edge: next, files } = extendEdge(edge, leavesFrom(edge.size, Math.min(BATCH, size - edge.size)));
        for (const file of files) {
          if (file.path.includes(".p/")) partial.set(dirname(file.path), file);
          else write(file);
        }
        edge = next;
      }
      for (const file of partial.values()) write(file);
      const text = encodeCheckpoint({ origin: signer.name, size, root: edgeRoot(edge) });
      write({ path: CHECKPOINT_PATH, bytes: signNote(text, [signer]) });
    },
  };
}

type Rates = Record<"leaves" | "files" | "verified" | "alone", number>;

/** Entries a second: the best of each in rounds by turns, so that what else the machine does troubles all alike. */
async function bestRates(folder: string, size: number): Promise<Rates> {
  const leaves = leavesFrom(0, FLOOR_LEAVES);
  const bundle = new Uint8Array(BUNDLE * (2 + LEAF_LENGTH)).fill(1);
  const tile = new Uint8Array(BUNDLE * 32).fill(1);
  const best: Rates = { leaves: 0, files: 0, verified: 0, alone: 0 };
  const measure = async (name: keyof Rates, entries: number, work: () => void | Promise<void>) => {
    const { seconds } = await secondsOf(async () => work());
    best[name] = Math.max(best[name], entries / seconds);
  };
  const verify = async (threads?: number) => {
    const input = { tiles: createFolderStorage(folder), verifierKeys, ...(threads ? { threads } : {}) };
    const verdict = await verifyLog(input);
    if (!verdict.ok || verdict.size !== size) throw new Error("the log that was measured does not verify");
  };
  for (let round = 0; round < ROUNDS; round += 1) {
    // Hexadecimal is what Node gives out fastest: the floor is as low as one thread can make it.
    await measure("leaves", FLOOR_LEAVES, () => {
      for (const leaf of leaves) hash("sha256", leaf, "hex");
    });
    await measure("files", FLOOR_LEAVES, () => {
      for (let done = 0; done < FLOOR_LEAVES; done += BUNDLE) {
        for (const file of [bundle, tile]) createHash("sha256").update(file).digest();
      }
    });
    await measure("verified", size, () => verify());
  }
  await measure("alone", size, () => verify(1));
  return best;
}

/** Peak memory, in MiB, of the command that verifies the log, all its threads included. */
async function peakOfCommand(folder: string): Promise<number> {
  const main = fileURLToPath(new URL("../apps/cli/src/main.ts", import.meta.url));
  const args = ["--disable-warning=ExperimentalWarning", main, "ledger", "verify", folder, "--key", signer.verifierKey];
  const child = spawn(process.execPath, args, { stdio: "ignore" });
  adoptChild(child, "SIGTERM");
  let peak = 0;
  const look = setInterval(() => {
    // Between the end of a process and its exit event there is nothing to read.
    if (child.pid && child.exitCode === null) peak = Math.max(peak, peakMemoryMib(child.pid) || 0);
  }, 20);
  const [code] = await once(child, "exit");
  clearInterval(look);
  if (code !== 0) throw new Error("the log that was measured does not verify by the command");
  return peak;
}

/** A whole log of so many entries, verified: how fast beside bare SHA-256, and in how much memory beside one of a tenth. */
export async function* verification(entries: number): AsyncGenerator<Measurement> {
  const folder = await mkdtemp(join(tmpdir(), "tipstaff-verify-"));
  try {
    const log = createGrowingLog(folder);
    log.growTo(Math.floor(entries / 10));
    const small = await peakOfCommand(folder);
    log.growTo(entries);
    const rates = await bestRates(folder, entries);
    const unit = "entries/s";
    const name = `verify a log of ${entries} on ${availableParallelism()} threads`;
    const ratio = rates.verified / rates.leaves;
    const target = `at least ${VERIFY_TARGET} of bare SHA-256 of its leaves, one by one, on one thread`;
    yield { name, value: rates.verified, unit, floor: rates.leaves, ratio, target, met: ratio >= VERIFY_TARGET };
    const beside = [
      { name: `${name}, beside bare SHA-256 of each file in one stream`, value: rates.verified, floor: rates.files },
      { name: `verify a log of ${entries} on one thread`, value: rates.alone, floor: rates.leaves },
    ];
    for (const one of beside) yield { ...one, unit, ratio: one.value / one.floor };
    const large = await peakOfCommand(folder);
    yield { name: `peak memory of ledger verify, ${Math.floor(entries / 10)} entries`, value: small, unit: "MiB" };
    const flat = `at most ${MEMORY_TARGET_MIB} MiB more than a tenth of them`;
    const met = large - small <= MEMORY_TARGET_MIB;
    yield { name: `peak memory of ledger verify, ${entries} entries`, value: large, unit: "MiB", target: flat, met };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
