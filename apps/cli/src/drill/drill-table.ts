import type { BuiltLevel, LevelResult } from "./drill.ts";

const THIEVES: Record<BuiltLevel, string> = {
  1: "the bureau's database, files and backups",
  2: "all that, every key on its disk, and recorded traffic",
  4: "the force's database and backups, not the keyholder's store",
};

/** The drill's result as people read it. */
export function drillTable(levels: readonly LevelResult[]): string {
  const lines = levels.map(({ level, people, ofPeople, files, bytes, keysTried }) => {
    const size = `${files} files, ${(bytes / 1e6).toFixed(0)} MB searched${keysTried > 0 ? `, ${keysTried} keys tried` : ""}`;
    return `  L${level}  ${String(people).padStart(6)} of ${ofPeople} people   ${THIEVES[level]}\n      ${size}`;
  });
  return lines.join("\n");
}
