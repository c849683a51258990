import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { CliError } from "../cli-error.ts";
import type { Progress } from "../progress.ts";
import type { Home } from "../services/installation.ts";
import { attackIndexes, openRecords } from "./attack-register.ts";
import { candidateSecrets } from "./candidate-secrets.ts";
import { runControls } from "./controls.ts";
import { filesBelow } from "./files-below.ts";
import { type KnownPeople, readKnownPeople } from "./known-people.ts";
import { ownersOf } from "./known-portraits.ts";
import { type BuiltLevel, THIEVES } from "./levels.ts";
import { recordedReleases } from "./recorded-releases.ts";
import { sampleJobs } from "./sample-jobs.ts";
import { createSearchPool, type ReportSearch } from "./search-pool.ts";
import { copyBureau, copyForce } from "./take-copies.ts";
import { openWithContentKeys, openWithSeeds } from "./try-keys.ts";

/** What a thief of one level could read, and what was searched and tried to find out. */
export type LevelResult = {
  readonly level: BuiltLevel;
  readonly people: number;
  readonly ofPeople: number;
  readonly files: number;
  readonly bytes: number;
  readonly keysTried: number;
};

export type DrillResult = {
  readonly levels: LevelResult[];
  readonly controls: Awaited<ReturnType<typeof runControls>>;
};

/**
 * Robs the installation as DESIGN's table of thieves says, level by level, and counts who could be read. Throws when the
 * planted controls are not found: a blind drill must not print zeros.
 */
export async function runDrill(options: {
  home: Home;
  databaseUrl: string;
  extractFolder: string;
  levels: readonly BuiltLevel[];
  step: Progress["step"];
}): Promise<DrillResult> {
  if (!existsSync(join(options.extractFolder, "extract.csv"))) {
    throw new CliError(
      "bad-input",
      `There is no HR extract in ${options.extractFolder}.`,
      "The drill searches for those whom it names: --known FOLDER, with extract.csv and photos/ as they were imported.",
    );
  }
  const loot = mkdtempSync(join(tmpdir(), "tipstaff-loot-"));
  try {
    const controls = await runControls(join(loot, "controls"));
    const blind = controls.filter((control) => !control.found);
    if (blind.length > 0) {
      const missed = blind.map((control) => control.planted).join(", ");
      throw new CliError(
        "failed",
        `The drill did not find what it planted itself: ${missed}.`,
        "Its zeros would mean nothing.",
      );
    }
    const known = await readKnownPeople(options.extractFolder);
    const levels: LevelResult[] = [];
    for (const level of options.levels) {
      const place = join(loot, `level-${level}`);
      const rob = (report: ReportSearch) => ROBBERIES[level]({ ...options, place, known, report });
      levels.push(await options.step(`Level ${level}: a thief who ${THIEVES[level]}`, rob, "MB"));
      rmSync(place, { recursive: true, force: true });
    }
    return { levels, controls };
  } finally {
    rmSync(loot, { recursive: true, force: true });
  }
}

type Robbery = {
  readonly home: Home;
  readonly databaseUrl: string;
  readonly place: string;
  readonly known: KnownPeople;
  readonly report: ReportSearch;
};

const ROBBERIES: Readonly<Record<BuiltLevel, (robbery: Robbery) => Promise<LevelResult>>> = {
  1: robBureau,
  2: robBureauWithKeys,
  4: robForce,
};

/** The threads end with their search: trying keys takes memory of its own. */
async function searchLoot(folders: readonly string[], { known, report }: Robbery) {
  const pool = createSearchPool(known.wanted);
  const { people, images, files, bytes } = await pool.search(folders, report).finally(pool.close);
  const found = new Set([...people, ...(await ownersOf(images, known.portraits))]);
  return { found, searched: { ofPeople: known.count, files, bytes } };
}

async function robBureau(robbery: Robbery): Promise<LevelResult> {
  const { found, searched } = await searchLoot(copyBureau(robbery.home, robbery.place), robbery);
  return { level: 1, people: found.size, ...searched, keysTried: 0 };
}

/** L2: every software key on the bureau's disk, and the wire's recording, against its sealed jobs and past answers. */
async function robBureauWithKeys(robbery: Robbery): Promise<LevelResult> {
  const { home, place } = robbery;
  const folders = copyBureau(home, place);
  const wire = existsSync(home.wire) ? [home.wire] : [];
  const { found, searched } = await searchLoot([...folders, ...wire], robbery);
  const secrets = candidateSecrets(folders);
  const sealed = folders.flatMap((folder) => filesBelow(join(folder, "orders"))).flatMap(sampleJobs);
  const recorded = wire.flatMap(recordedReleases);
  if (sealed.length === 0 || (wire.length > 0 && recorded.length === 0)) {
    throw new CliError(
      "failed",
      "Level 2 found no sealed job, or no release on the wire, to try keys on.",
      "Order cards and print a run first (orders create, runs open, bureau print).",
    );
  }
  const opened = openWithContentKeys(sealed, secrets) + (await openWithSeeds(recorded, secrets));
  return { level: 2, people: found.size + opened, ...searched, keysTried: secrets.size };
}

/** L4: the force's database and backups without the keyholder's store, also by dictionary and frequency. */
async function robForce(robbery: Robbery): Promise<LevelResult> {
  const { home, databaseUrl, place, known } = robbery;
  const folders = await copyForce(home, databaseUrl, place);
  const { found, searched } = await searchLoot(folders, robbery);
  const secrets = candidateSecrets(folders.filter((folder) => folder.endsWith("desk") || folder.endsWith("tables")));
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1 });
  try {
    const guessed = await attackIndexes(pool, known, secrets);
    const opened = await openRecords(pool, secrets);
    const people = new Set([...found, ...guessed]).size + opened;
    return { level: 4, people, ...searched, keysTried: secrets.size };
  } finally {
    await pool.end();
  }
}
