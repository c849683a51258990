import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Pool } from "pg";
import { adoptChild } from "../apps/cli/src/services/processes.ts";
import {
  createProver,
  createWitnessClient,
  leafHash,
  nodeHash,
  parsePolicy,
  type TileReader,
  verifyConsistency,
  verifyInclusion,
  verifyPolicy,
} from "../packages/ledger/src/index.ts";
import { createIntake, type Intake } from "../packages/ledger/src/postgres/index.ts";
import {
  createTestLog,
  type TestLog,
  testLogKey,
  testOrigin,
  testVerifierKeys,
} from "../packages/ledger/src/postgres/test-log.ts";
import { startTestPostgres } from "../packages/ledger/src/postgres/test-postgres.ts";
import { type TestEntry, testEntry } from "../packages/ledger/src/test-entries.ts";
import { verification } from "./ledger-verify.ts";
import { type Measurement, percentile, secondsOf } from "./measure.ts";

const WRITERS = 500;
const ENTRIES = 15_000;
const PER_SECOND_TARGET = 3000;
const P99_TARGET_MS = 300;
const LARGE_LOG = 10_000_000;
const PROOF_TARGET_MS = 5;
const CONSISTENCY_TARGET_MS = 50;
const WITNESSED = 100;
const WITNESSED_TARGET_SECONDS = 2;
const WAIT_MS = 120_000;

/** Writers that each have one entry under way at a time, and wait for it. */
async function write(entries: readonly TestEntry[], one: (entry: TestEntry) => Promise<unknown>): Promise<number[]> {
  const queue = entries.values();
  const times: number[] = [];
  const writer = async () => {
    for (const entry of queue) {
      const started = performance.now();
      await one(entry);
      times.push(performance.now() - started);
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, writer));
  return times;
}

/** What cannot be less: the same bytes in a bare table, everybody who waits sharing the next commit. */
async function bareInserts(pool: Pool, entries: readonly TestEntry[]): Promise<number> {
  await pool.query("create table floor (id bigserial primary key, leaf bytea not null, openings bytea not null)");
  let waiting: { entry: TestEntry; done: () => void }[] = [];
  let running = false;
  const drain = async () => {
    running = true;
    while (waiting.length > 0) {
      await new Promise((resolve) => setImmediate(resolve));
      const batch = waiting;
      waiting = [];
      const columns = [batch.map(({ entry }) => entry.leaf), batch.map(({ entry }) => entry.openings)];
      await pool.query({
        name: "floor",
        text: "insert into floor (leaf, openings) select * from unnest($1::bytea[], $2::bytea[])",
        values: columns,
      });
      for (const { done } of batch) done();
    }
    running = false;
  };
  const { seconds } = await secondsOf(() =>
    write(
      entries,
      (entry) =>
        new Promise<void>((done) => {
          waiting.push({ entry, done });
          if (!running) void drain();
        }),
    ),
  );
  await pool.query("drop table floor");
  return entries.length / seconds;
}

async function* throughput(log: TestLog, intakeOf: (wake: () => void) => Intake): AsyncGenerator<Measurement> {
  const entries = Array.from({ length: ENTRIES }, (_, n) => testEntry(`bench/${n}`));
  const floor = await bareInserts(log.pool, entries);
  const sequencer = log.sequencer();
  const intake = intakeOf(sequencer.wake);
  sequencer.start();
  const { seconds, value: times } = await secondsOf(() =>
    write(entries, async (entry) => {
      const logged = sequencer.waitLogged([entry.operationId], { timeoutMs: WAIT_MS });
      await Promise.all([logged, intake.append(entry)]);
    }),
  );
  await sequencer.stop();
  const value = entries.length / seconds;
  const met = value >= PER_SECOND_TARGET;
  const target = `at least ${PER_SECOND_TARGET} a second`;
  yield { name: `${WRITERS} writers to logged`, value, unit: "entries/s", floor, ratio: value / floor, target, met };
  const p99 = percentile(times, 0.99);
  const name = `${WRITERS} writers to logged, p99`;
  yield { name, value: p99, unit: "ms", target: `at most ${P99_TARGET_MS} ms`, met: p99 <= P99_TARGET_MS };
}

/** A log of as many equal entries as wanted: all full subtrees of one level have one hash, so no tile needs storing. */
function equalEntries(): { entry: Uint8Array; readTile: TileReader } {
  const entry = new Uint8Array(481).fill(1);
  const levels = [leafHash(entry)];
  const hashOf = (level: number): Uint8Array => {
    const known = levels[level];
    if (known) return known;
    let node = hashOf(level - 1);
    for (let i = 0; i < 8; i++) node = nodeHash(node, node);
    levels[level] = node;
    return node;
  };
  return {
    entry,
    readTile: async ({ level, width }) => Buffer.concat(Array.from({ length: width }, () => hashOf(level))),
  };
}

async function* proofs(): AsyncGenerator<Measurement> {
  const { entry, readTile } = equalEntries();
  const prover = createProver({ size: LARGE_LOG, readTile });
  const root = await prover.root();
  const index = 7_654_321;
  const proof = await prover.inclusion(index);
  const verify = await secondsOf(async () =>
    verifyInclusion({ leafHash: leafHash(entry), index, size: LARGE_LOG, root, proof }),
  );
  if (!verify.value) throw new Error("the inclusion proof that was measured does not verify");
  const ms = verify.seconds * 1000;
  const verifyTarget = `under ${PROOF_TARGET_MS} ms`;
  yield { name: "verify one proof, first", value: ms, unit: "ms", target: verifyTarget, met: ms < PROOF_TARGET_MS };
  const oldSize = 6_543_210;
  const oldRoot = await createProver({ size: oldSize, readTile }).root();
  const fresh = createProver({ size: LARGE_LOG, readTile });
  const made = await secondsOf(() => fresh.consistency(oldSize));
  if (!verifyConsistency({ oldSize, oldRoot, size: LARGE_LOG, root, proof: made.value })) {
    throw new Error("the consistency proof that was measured does not verify");
  }
  const value = made.seconds * 1000;
  const name = `consistency proof in ${LARGE_LOG} entries (tiles derived, not read)`;
  const target = `under ${CONSISTENCY_TARGET_MS} ms`;
  yield { name, value, unit: "ms", target, met: value < CONSISTENCY_TARGET_MS };
}

/** Two witnesses as processes of their own, and a log that publishes nothing without both. */
async function* witnessing(log: TestLog): AsyncGenerator<Measurement> {
  const folder = await mkdtemp(join(tmpdir(), "tipstaff-witnesses-"));
  const started = ["w1.example", "w2.example"].map((name) => startWitness(join(folder, name), name, testLogKey));
  try {
    const lines = (await Promise.all(started.map(({ line }) => line))).map((line, at) => {
      const [port, key] = line.trim().split(" ");
      return `witness w${at} ${key} http://127.0.0.1:${port}\n`;
    });
    const policy = parsePolicy(new TextEncoder().encode(`${lines.join("")}group both all w0 w1\nquorum both\n`));
    const keys = { origin: testOrigin, keys: testVerifierKeys };
    const sequencer = log.sequencer({ witnesses: createWitnessClient({ policy, log: keys }) });
    sequencer.start();
    const times: number[] = [];
    for (let n = 0; n < WITNESSED; n += 1) {
      const entry = testEntry(`witnessed/${n}`);
      const begun = performance.now();
      await log.append([entry]);
      sequencer.wake();
      await sequencer.waitLogged([entry.operationId], { timeoutMs: WAIT_MS });
      times.push((performance.now() - begun) / 1000);
    }
    const head = await sequencer.head();
    await sequencer.stop();
    if (!head || !verifyPolicy(head.checkpoint, { policy, log: keys }).ok) {
      throw new Error("the log that was measured is not witnessed");
    }
    const value = percentile(times, 0.99);
    const target = `under ${WITNESSED_TARGET_SECONDS} s`;
    const met = value < WITNESSED_TARGET_SECONDS;
    yield { name: "one entry to witnessed by two, p99", value, unit: "s", target, met };
  } finally {
    for (const { child } of started) child.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

function startWitness(folder: string, name: string, logKey: string): { child: ChildProcess; line: Promise<string> } {
  const file = fileURLToPath(new URL("../packages/ledger/src/witness/test-witness.ts", import.meta.url));
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", file, folder, name, logKey]);
  adoptChild(child, "SIGTERM");
  const line = new Promise<string>((resolve, reject) => {
    child.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString("utf8")));
    child.once("exit", () => reject(new Error(`the witness ${name} ended`)));
  });
  return { child, line };
}

export async function* run({ verifyEntries }: { verifyEntries: number }): AsyncGenerator<Measurement> {
  yield* proofs();
  yield* verification(verifyEntries);
  const postgres = await startTestPostgres();
  try {
    const log = await createTestLog(await postgres.createDatabase());
    try {
      yield* throughput(log, (onCommitted) => createIntake({ pool: log.pool, onCommitted }));
      yield* witnessing(log);
    } finally {
      await log.remove();
    }
  } finally {
    await postgres.close();
  }
}
