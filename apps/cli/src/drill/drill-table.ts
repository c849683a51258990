import type { LevelResult } from "./drill.ts";
import { THIEVES } from "./levels.ts";

/** The drill's result as people read it. */
export function drillTable(levels: readonly LevelResult[]): string {
  const lines = levels.map(({ level, people, ofPeople, files, bytes, keysTried }) => {
    const size = `${files} files, ${(bytes / 1e6).toFixed(0)} MB searched${keysTried > 0 ? `, ${keysTried} keys tried` : ""}`;
    return `  L${level}  ${String(people).padStart(6)} of ${ofPeople} people   a thief who ${THIEVES[level]}\n      ${size}`;
  });
  return lines.join("\n");
}
