import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";

export function filesBelow(place: string): string[] {
  const stat = lstatSync(place);
  if (stat.isFile()) return [place];
  return stat.isDirectory() ? readdirSync(place).flatMap((name) => filesBelow(join(place, name))) : [];
}
