// npm run bench [-- NAME …] [--people N] [--verify-entries N]: each figure as a ratio to a floor measured in the same run.
import { endChildrenOnSignal } from "../apps/cli/src/services/processes.ts";
import { type Measurement, toLine } from "./measure.ts";

endChildrenOnSignal();

type Options = { readonly people: number; readonly verifyEntries: number };
const BENCHES: Record<string, () => Promise<{ run: (options: Options) => AsyncIterable<Measurement> }>> = {
  import: () => import("./import.ts"),
  ledger: () => import("./ledger.ts"),
  system: () => import("./system.ts"),
};
const NUMBERS = {
  "--people": { value: 2000, least: 1000 },
  "--verify-entries": { value: 2_000_000, least: 10_000 },
};

const args = process.argv.slice(2);
const json = args.includes("--json");
const names: string[] = [];
let sound = true;
for (let at = 0; at < args.length; at += 1) {
  const arg = args[at] ?? "";
  if (arg === "--people" || arg === "--verify-entries") {
    at += 1;
    NUMBERS[arg].value = Number(args[at]);
    sound &&= Number.isInteger(NUMBERS[arg].value) && NUMBERS[arg].value >= NUMBERS[arg].least;
  } else if (!arg.startsWith("--")) names.push(arg);
}
if (!sound || names.some((name) => !Object.hasOwn(BENCHES, name))) {
  const numbers = Object.entries(NUMBERS).map(([name, { least }]) => `${name} a whole number from ${least}`);
  process.stderr.write(`bench: names are ${Object.keys(BENCHES).join(", ")}; ${numbers.join("; ")}\n`);
  process.exit(2);
}
const people = NUMBERS["--people"].value;
const verifyEntries = NUMBERS["--verify-entries"].value;

const measured: Measurement[] = [];
for (const [name, load] of Object.entries(BENCHES)) {
  if (names.length > 0 && !names.includes(name)) continue;
  const { run } = await load();
  for await (const measurement of run({ people, verifyEntries })) {
    measured.push(measurement);
    if (!json) process.stdout.write(`${toLine(measurement)}\n`);
  }
}
if (json) process.stdout.write(`${JSON.stringify({ people, measured })}\n`);
