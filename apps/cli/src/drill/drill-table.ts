import type { LevelResult } from "./drill.ts";
import { THIEVES } from "./levels.ts";

/** Rows that the import refused hold names and numbers too, so they are searched for as well. */
const HEADING = "What a thief could read, of everybody whom the HR extract names, refused rows included:";

/** The drill's result as people read it. */
export function drillTable(levels: readonly LevelResult[]): string {
  const lines = levels.map(({ level, people, ofPeople, files, bytes, keysTried }) => {
    const size = `${files} files, ${(bytes / 1e6).toFixed(0)} MB searched${keysTried > 0 ? `, ${keysTried} keys tried` : ""}`;
    return `  L${level}  ${String(people).padStart(6)} of ${ofPeople} people   a thief who ${THIEVES[level]}\n      ${size}`;
  });
  return [HEADING, ...lines].join("\n");
}
