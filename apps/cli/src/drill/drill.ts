import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { CliError } from "../cli-error.ts";
import type { Home } from "../services/installation.ts";
import { attackIndexes, openRecords } from "./attack-register.ts";
import { candidateSecrets } from "./candidate-secrets.ts";
import { runControls } from "./controls.ts";
import { type KnownPeople, readKnownPeople } from "./known-people.ts";
import { filesBelow, searchFolders } from "./search-folder.ts";
import { copyBureau, copyForce } from "./take-copies.ts";
import { openWithContentKeys, openWithSeeds, recordedReleases, sampleJobs } from "./try-keys.ts";

export const BUILT_LEVELS = [1, 2, 4] as const;
export type BuiltLevel = (typeof BUILT_LEVELS)[number];

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
  onLevel?: (level: number) => void;
}): Promise<DrillResult> {
  if (!existsSync(join(options.extractFolder, "extract.csv"))) {
    throw new CliError(
      "bad-input",
      `No extract in ${options.extractFolder}.`,
      "The drill searches for those whom the HR extract names.",
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
      options.onLevel?.(level);
      const place = join(loot, `level-${level}`);
      if (level === 1) levels.push(await robFiles(level, copyBureau(options.home, place), known));
      if (level === 2) levels.push(await robBureauWithKeys(options.home, place, known));
      if (level === 4) levels.push(await robForce(options.home, options.databaseUrl, place, known));
      rmSync(place, { recursive: true, force: true });
    }
    return { levels, controls };
  } finally {
    rmSync(loot, { recursive: true, force: true });
  }
}

async function robFiles(level: BuiltLevel, folders: readonly string[], known: KnownPeople): Promise<LevelResult> {
  const { found, files, bytes } = await searchFolders(folders, known);
  return { level, people: found.size, ofPeople: known.count, files, bytes, keysTried: 0 };
}

/** L2: every software key on the bureau's disk, and the wire's recording, against its sealed jobs and past answers. */
async function robBureauWithKeys(home: Home, place: string, known: KnownPeople): Promise<LevelResult> {
  const folders = copyBureau(home, place);
  const wire = existsSync(home.wire) ? [home.wire] : [];
  const searched = await robFiles(2, [...folders, ...wire], known);
  const secrets = candidateSecrets(folders);
  const sealed = folders.flatMap((folder) => filesBelow(join(folder, "orders"))).flatMap(sampleJobs);
  const recorded = wire.flatMap(recordedReleases);
  if (sealed.length === 0 || (wire.length > 0 && recorded.length === 0)) {
    throw new CliError(
      "failed",
      "Level 2 found no sealed job, or no release on the wire, to try keys on.",
      "Print a run first.",
    );
  }
  const jobs = openWithContentKeys(sealed, secrets);
  const answers = await openWithSeeds(recorded, secrets);
  return { ...searched, people: searched.people + jobs + answers, keysTried: secrets.length };
}

/** L4: the force's database and backups without the keyholder's store, also by dictionary and frequency. */
async function robForce(home: Home, databaseUrl: string, place: string, known: KnownPeople): Promise<LevelResult> {
  const folders = await copyForce(home, databaseUrl, place);
  const searched = await searchFolders(folders, known);
  const secrets = candidateSecrets(folders.filter((folder) => folder.endsWith("desk") || folder.endsWith("tables")));
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1 });
  try {
    const guessed = await attackIndexes(pool, known, secrets);
    const opened = await openRecords(pool, secrets);
    const people = new Set([...searched.found, ...guessed]).size + opened;
    const { files, bytes } = searched;
    return { level: 4, people, ofPeople: known.count, files, bytes, keysTried: secrets.length };
  } finally {
    await pool.end();
  }
}
