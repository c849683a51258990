import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { CliError } from "../cli-error.ts";
import { BUILT_LEVELS } from "../drill/levels.ts";
import { adoptChild } from "../services/processes.ts";
import type { Stage } from "./stage.ts";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));
const drilledSchema = z.looseObject({
  levels: z.array(z.looseObject({ level: z.literal(BUILT_LEVELS), people: z.int(), ofPeople: z.int() })),
});
export type Drilled = z.infer<typeof drilledSchema>;

/**
 * `tipstaff drill` in a process of its own, since what it knows of everybody is large beside what a demonstration holds
 * already. Says on stderr what it does.
 */
export async function drillApart({ home, extractFolder }: Stage): Promise<Drilled> {
  const args = ["--home", home.root, "--json", "drill", "--known", extractFolder];
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", main, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  adoptChild(child, "SIGTERM");
  const code = new Promise<number | null>((resolve) => child.once("exit", resolve));
  let said = "";
  for await (const chunk of child.stdout) said += String(chunk);
  // 1 when somebody could be read: that is a finding, and told as one.
  if (![0, 1].includes((await code) ?? 2)) {
    throw new CliError("failed", "The drill did not come to its end.", "Read what it said above.");
  }
  return drilledSchema.parse(JSON.parse(said));
}
