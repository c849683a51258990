import { generateKeyPairSync, randomBytes, sign, verify } from "node:crypto";
import { chmodSync, fsyncSync, mkdirSync, mkdtempSync, openSync, readdirSync, rmSync, writeSync } from "node:fs";
import { connect, createServer } from "node:net";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createComposer, loadTemplate } from "@tipstaff/artwork";
import { generateOneTimeKey, openJob, openRelease, sealJob, sealRelease } from "@tipstaff/sealing";
import sharp from "sharp";
import { exampleAgreement } from "../apps/cli/src/demo/example-agreement.ts";
import { finishCards, importPeople, makeOrder, produce } from "../apps/cli/src/demo/main-job.ts";
import type { Stage } from "../apps/cli/src/demo/stage.ts";
import { generateExtract } from "../apps/cli/src/example-force/index.ts";
import type { Progress } from "../apps/cli/src/progress.ts";
import { establish, type Running, stopAll } from "../apps/cli/src/services/establish.ts";
import { bureauApi, deskApi, initInstallation, publicPort } from "../apps/cli/src/services/installation.ts";
import { cpuSeconds, type Measurement, peakMemoryMib, percentile, secondsOf } from "./measure.ts";

const LINES = 64;
const CARDS_PER_SECOND = 150;
const P99_MS = 400;
const EXPOSURE_SECONDS = 1;
/** In these the processes compile what they run; a run of 47,000 hardly notices. */
const WARM_UP_CARDS = 500;
const MEMORY_MIB = 700;
const FLOOR_CARDS = 200;
const SIGNATURES = 4;
const CHECKS = 6;
const repository = fileURLToPath(new URL("..", import.meta.url));

const quiet: Progress = { note: () => undefined, step: (_title, work) => work(() => undefined) };

/** The main job on real processes: compose and seal, release and print, exposure, peak memory. */
export async function* run({ people }: { people: number }): AsyncGenerator<Measurement> {
  const folder = mkdtempSync(join(tmpdir(), "tipstaff-bench-"));
  chmodSync(folder, 0o711);
  const { home, settings } = await initInstallation(join(folder, "home"), {
    force: "exampleshire-police",
    recipient: "cardmaker",
    tap: true,
  });
  const extractFolder = join(home.root, "extract");
  mkdirSync(extractFolder);
  const extract = await generateExtract({ people, seed: "bench", folder: extractFolder });
  const watch = await watchReleases(publicPort(settings), settings.ports.desk);
  let running: Running | undefined;
  try {
    const agreement = (keys: readonly { id: string; use: string; publicKey: string }[]) =>
      exampleAgreement(repository, { keys, receiptWithin: "PT2M" });
    running = await establish(home, settings, { lines: LINES, logLevel: "warn", agreement });
    const stage: Stage = { home, settings, progress: quiet, extractFolder, extract, since: new Date() };
    await importPeople(stage);
    const ordered = await secondsOf(() => makeOrder(stage));
    const { jobs } = ordered.value;
    yield atLeast("requests, approvals, compose + seal", jobs / ordered.seconds, await composeFloor());
    await bureauApi(home, settings).post("/fetch", {});
    const pids = pidsOf(running);
    const before = cpuOf(pids);
    const produced = await secondsOf(() => produce(stage, ordered.value, { faults: false }));
    const after = cpuOf(pids);
    const name = `release + print + receipt over ${LINES} lines`;
    yield atLeast(
      `${name}, after the first ${WARM_UP_CARDS}`,
      rateAfter(watch.receiptedMs),
      await releaseFloor(folder),
    );
    yield { name: `${name}, from opening the run to closing it`, value: jobs / produced.seconds, unit: "cards/s" };
    const p99 = percentile(watch.releaseMs, 0.99);
    yield { name: "release, p99", value: p99, unit: "ms", target: `under ${P99_MS} ms`, met: p99 < P99_MS };
    for (const [name, seconds] of Object.entries(after)) {
      const value = ((seconds - (before[name] ?? 0)) / jobs) * 1000;
      yield { name: `release + print + receipt, processor of the ${name}`, value, unit: "ms a card" };
    }
    await finishCards(stage);
    yield* exposures(stage);
    for (const [name, pid] of Object.entries({ desk: pids.desk, keyholder: pids.keyholder, bureau: pids.bureau })) {
      const value = peakMemoryMib(pid);
      yield {
        name: `peak memory of the ${name}`,
        value,
        unit: "MiB",
        target: `under ${MEMORY_MIB}`,
        met: value < MEMORY_MIB,
      };
    }
  } finally {
    await stopAll(running ?? {});
    watch.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const pidsOf = ({ desk, keyholder, bureau, database }: Running) => ({
  desk: desk.pid,
  keyholder: keyholder.pid,
  bureau: bureau.pid,
  database: database.pid,
});

const cpuOf = (pids: ReturnType<typeof pidsOf>): Record<string, number> => ({
  ...Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, cpuSeconds(pid)])),
  bench: process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6,
});

function atLeast(name: string, value: number, floor: number): Measurement {
  const met = value >= CARDS_PER_SECOND;
  return { name, value, unit: "cards/s", floor, ratio: value / floor, target: `at least ${CARDS_PER_SECOND}`, met };
}

async function* exposures({ home, settings, since }: Stage): AsyncGenerator<Measurement> {
  const window = { recipient: settings.recipient, from: since.toISOString(), to: new Date().toISOString() };
  for (const state of ["cold", "warm"]) {
    const ask = () => deskApi(home, settings, "security.one").get(`/api/exposure?${new URLSearchParams(window)}`);
    const { seconds } = await secondsOf(ask);
    const met = seconds < EXPOSURE_SECONDS;
    yield { name: `exposure, ${state}`, value: seconds, unit: "s", target: `under ${EXPOSURE_SECONDS} s`, met };
  }
}

/** Cards a second once the first ones are done. */
function rateAfter(receiptedMs: readonly number[]): number {
  const [from, to] = [receiptedMs[WARM_UP_CARDS - 1], receiptedMs.at(-1)];
  if (from === undefined || to === undefined || to <= from) throw new Error(`--people: more than ${WARM_UP_CARDS}`);
  return ((receiptedMs.length - WARM_UP_CARDS) / (to - from)) * 1000;
}

/** Cards a second that composing and sealing alone would allow, were every core kept busy. */
async function composeFloor(): Promise<number> {
  const folder = join(repository, "packages/artwork/templates");
  const loaded = await loadTemplate(join(folder, readdirSync(folder).find((name) => name === "warrant-card") ?? ""));
  if (!loaded.ok) throw new Error("the warrant card's template does not load");
  const noise = sharp(randomBytes(413 * 531 * 3), { raw: { width: 413, height: 531, channels: 3 } });
  const portrait = await noise.blur(3).jpeg().toBuffer();
  const composer = createComposer(loaded.template);
  const { seconds } = await secondsOf(async () => {
    for (let card = 0; card < FLOOR_CARDS; card += 1) {
      const number = String(100_000_000 + card);
      const face = { force: "Exampleshire Police", name: "Avery Example", rank: "Constable", number: "0012345" };
      const composed = composer.compose({ person: { ...face, portrait, expiry: "2031-01-31", cardNumber: number } });
      if (!composed.ok) throw new Error(`the floor's card is refused: ${composed.reason}`);
      sealJob({ contentKey: randomBytes(32), context: randomBytes(64), head: {}, pages: composed.pdf });
    }
  });
  return (FLOOR_CARDS / seconds) * availableParallelism();
}

/** Cards a second that a release's bare cryptography and one synced page file would allow on every core. */
async function releaseFloor(folder: string): Promise<number> {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const contentKey = randomBytes(32);
  const [context, info] = [randomBytes(200), randomBytes(120)];
  const sealed = sealJob({ contentKey, context, head: {}, pages: randomBytes(50_000) });
  const { seconds } = await secondsOf(async () => {
    for (let card = 0; card < FLOOR_CARDS; card += 1) {
      const oneTime = await generateOneTimeKey();
      const answer = await sealRelease({ publicKey: oneTime.publicKey, info, contentKey });
      const key = await openRelease({ privateKey: oneTime.privateKey, info, ...answer });
      const { pages } = openJob({ contentKey: key, context, sealed });
      for (let n = 0; n < SIGNATURES; n += 1) sign(null, info, privateKey);
      const signature = sign(null, info, privateKey);
      for (let n = 0; n < CHECKS; n += 1) verify(null, info, publicKey, signature);
      const file = openSync(join(folder, `floor-${card}`), "w");
      writeSync(file, pages);
      fsyncSync(file);
    }
  });
  return (FLOOR_CARDS / seconds) * availableParallelism();
}

type Watch = {
  /** How long each release took, from its request's first byte to its answer's. */
  readonly releaseMs: number[];
  /** When each receipt was answered. */
  readonly receiptedMs: number[];
  readonly stop: () => void;
};

/** Stands between bureau and desk, and takes the time of every release and receipt. */
async function watchReleases(port: number, target: number): Promise<Watch> {
  const [releaseMs, receiptedMs]: [number[], number[]] = [[], []];
  const server = createServer((near) => {
    const far = connect(target, "127.0.0.1");
    let asked: { readonly what: string; readonly atMs: number } | undefined;
    near.on("data", (chunk: Buffer) => {
      const [what] = /^POST \/v1\/(releases|receipts)/.exec(chunk.subarray(0, 17).toString("latin1"))?.slice(1) ?? [];
      if (what !== undefined) asked = { what, atMs: performance.now() };
      far.write(chunk);
    });
    far.on("data", (chunk: Buffer) => {
      const now = performance.now();
      if (asked?.what === "releases") releaseMs.push(now - asked.atMs);
      if (asked?.what === "receipts") receiptedMs.push(now);
      asked = undefined;
      near.write(chunk);
    });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.setNoDelay(true);
      one.on("end", () => other.end());
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return { releaseMs, receiptedMs, stop: () => server.close() };
}
