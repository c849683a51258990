/**
 * Crash rounds: the real processes of an installation (desk, keyholder, bureau, PostgreSQL) are killed with SIGKILL at
 * points that a seed chooses, while cards are printed, and started again. Afterwards the crash rules are checked from the
 * outside: printer folder, ledger, counters, the stores of all parties. CI runs 50 rounds; more by command:
 *
 *   node_modules/.bin/node tests/journeys/crash-rounds.ts --rounds 500 --seed anything --people 600 [--keep FOLDER]
 *
 * The seed is printed; the same seed chooses the same victims and delays. `--keep` leaves the installation in FOLDER,
 * which must be empty, for looking into it. Exit 0: every rule held; 1: one did not; 2: could not run, or something hung.
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { deskDatabaseUrl } from "../../apps/cli/src/services/installation.ts";
import { dumpState } from "./crash/dump-state.ts";
import { establishHouse } from "./crash/establish-house.ts";
import {
  add,
  type BackgroundPrinting,
  backgroundPrinting,
  finishEverything,
  type Looked,
  lookAround,
} from "./crash/finish-everything.ts";
import { type House, keepHouse, type Victim } from "./crash/house.ts";
import { insist } from "./crash/insist.ts";
import { checkInvariants, type Verdict } from "./crash/invariants.ts";
import { observe } from "./crash/observe.ts";
import { directProduction, type Production } from "./crash/production.ts";
import { type SeededRandom, seededRandom } from "./crash/seeded-random.ts";
import { TERMS } from "./crash/terms.ts";
import { watchLimits } from "./crash/watch-limits.ts";

/** Each card takes about a tenth of a second, and there are several lines. */
const LONGEST_DELAY_MS = 400;
const LONGEST_REST_MS = 200;
const ANSWER_SECONDS = 30;
/** So that a round in which nothing can be printed is a short one. */
const LONGEST_WAIT_FOR_CARDS_MS = 1500;
const POLL_MS = 15;
const LOOK_EVERY = 2;
const CARDS_STILL_OUT = 5;
const CHANCE_OF_SPOIL = 0.25;
const CHANCE_OF_JAM = 0.15;
const CHANCE_OF_SECOND = 0.2;
const CHANCE_OF_CUT = 0.15;
const WEIGHTS: Readonly<Record<Victim, number>> = { desk: 3, bureau: 3, keyholder: 2.5, database: 1.5 };

export type Round = { readonly round: number; readonly victims: readonly Victim[]; readonly delayMs: number };
export type CrashReport = {
  readonly seed: string;
  readonly rounds: number;
  readonly verdicts: readonly Verdict[];
  readonly jobs: number;
  readonly releases: number;
  readonly looked: Looked;
  readonly samples: number;
};

type Stage = {
  readonly house: House;
  readonly production: Production;
  readonly printing: BackgroundPrinting;
  readonly random: SeededRandom;
};

/** Runs the rounds in an empty folder and answers what was found; throws where something hung or died by itself. */
export async function runCrashRounds(options: {
  rounds: number;
  seed: string;
  people: number;
  folder: string;
  onRound?: (round: Round) => void;
}): Promise<CrashReport> {
  const { rounds, seed, people, folder, onRound = () => undefined } = options;
  const { home, settings, running, order } = await establishHouse({ folder, people, seed });
  const house = keepHouse(home, settings, running);
  const databaseUrl = deskDatabaseUrl(home);
  const production = directProduction(home, settings);
  const watch = watchLimits(databaseUrl);
  try {
    const stage = { house, production, printing: backgroundPrinting(production), random: seededRandom(seed) };
    const during = await printAndKill(stage, { rounds, order, onRound });
    const after = await finishEverything({ production, databaseUrl, order });
    demandNoDeserter(house);
    const samples = await watch.stop();
    await house.stop({ but: "database" });
    const observed = await observe({ home, settings, databaseUrl, terms: TERMS, samples });
    return {
      ...{ seed, rounds, jobs: order.jobs, looked: add(during, after) },
      verdicts: checkInvariants(observed),
      releases: observed.desk.releases.length,
      samples: samples.length,
    };
  } catch (error) {
    const state = await dumpState({ home, databaseUrl, production });
    throw new Error(`${error instanceof Error ? error.message : error}\nseed ${seed}\n${state}`, { cause: error });
  } finally {
    await watch.stop();
    await house.stop();
  }
}

type Plan = {
  readonly rounds: number;
  readonly order: { readonly order: string; readonly jobs: number };
  readonly onRound: (round: Round) => void;
};

/** Each round opens a run over its share of the order, so that there is something to print until the last. */
async function printAndKill(stage: Stage, { rounds, order, onRound }: Plan): Promise<Looked> {
  let looked: Looked = { uncertain: 0, holds: [], approved: 0 };
  for (let round = 1; round <= rounds; round += 1) {
    const share = Math.floor((order.jobs * round) / rounds) - Math.floor((order.jobs * (round - 1)) / rounds);
    if (share > 0) {
      await insist(ANSWER_SECONDS, "open a run", () => stage.production.openRun(order.order, share));
    }
    onRound({ round, ...(await killOnce(stage)) });
    demandNoDeserter(stage.house);
    if (round % LOOK_EVERY === 0) {
      looked = add(looked, await lookAround(stage.production, { cardsStillOut: CARDS_STILL_OUT }));
    }
  }
  await stage.printing.end();
  return looked;
}

/** Starts printing, kills one process at a point that the seed chooses, sometimes another while the first comes back. */
async function killOnce({
  house,
  production,
  printing,
  random,
}: Stage): Promise<{ victims: Victim[]; delayMs: number }> {
  const victims: Victim[] = [random.pick(WEIGHTS)];
  const delayMs = random.below(LONGEST_DELAY_MS + 1);
  const spoil = random.chance(CHANCE_OF_SPOIL) ? [1 + random.below(3)] : [];
  const loseReceipt = random.chance(CHANCE_OF_JAM) ? [1 + random.below(5)] : [];
  const cutAfterMs = random.chance(CHANCE_OF_CUT) ? random.below(LONGEST_DELAY_MS) : undefined;
  const second = random.chance(CHANCE_OF_SECOND) ? random.pick(WEIGHTS) : undefined;
  const secondAfterMs = random.below(LONGEST_DELAY_MS);
  const restMs = random.below(LONGEST_REST_MS);
  const [first] = victims;

  await untilCardsMove(production, () => printing.goOn({ spoil, loseReceipt }));
  await sleep(delayMs);
  if (first !== undefined) await house.kill(first);
  const back = first === undefined ? Promise.resolve() : house.restart(first, cutAfterMs);
  if (second !== undefined && second !== first) {
    await sleep(secondAfterMs);
    await house.kill(second);
    victims.push(second);
    await house.restart(second);
  }
  await back;
  await sleep(restMs);
  return { victims, delayMs };
}

const STARTED = ["produced", "spoiled", "intent", "uncertain"];

/** Waits until a card came out since it was called, so that the kill meets printing; what is held or jammed is not waited for. */
async function untilCardsMove(production: Production, goOn: () => void): Promise<void> {
  const started = async () => {
    const { jobs } = await production.status();
    return STARTED.reduce((sum, state) => sum + (jobs[state] ?? 0), 0);
  };
  const before = await insist(ANSWER_SECONDS, "bureau status", started);
  const deadline = Date.now() + LONGEST_WAIT_FOR_CARDS_MS;
  do {
    goOn();
    await sleep(POLL_MS);
  } while ((await insist(ANSWER_SECONDS, "bureau status", started)) === before && Date.now() < deadline);
}

/** A process that nobody killed must not end because another did. */
function demandNoDeserter(house: House): void {
  const deserters = house.deserters();
  if (deserters.length > 0) throw new Error(`ended although nobody killed it: ${deserters.join(", ")}`);
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "50" },
      seed: { type: "string", default: randomBytes(6).toString("hex") },
      people: { type: "string", default: "240" },
      keep: { type: "string" },
    },
  });
  const folder = values.keep ?? mkdtempSync(join(tmpdir(), "tipstaff-crash-"));
  const { seed } = values;
  process.stderr.write(`seed ${seed}\n`);
  try {
    const onRound = ({ round, victims, delayMs }: Round) =>
      process.stderr.write(`round ${round}: ${victims.join(", then ")} after ${delayMs} ms\n`);
    const report = await runCrashRounds({
      ...{ seed, folder, onRound },
      rounds: Number(values.rounds),
      people: Number(values.people),
    });
    process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    return report.verdicts.some(({ violations }) => violations.length > 0) ? 1 : 0;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    return 2;
  } finally {
    if (values.keep === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.exitCode = await main();
}
