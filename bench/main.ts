// npm run bench [-- NAME …] [--people N]: each figure as a ratio to a floor measured in the same run.
import { endChildrenOnSignal } from "../apps/cli/src/services/processes.ts";
import { type Measurement, toLine } from "./measure.ts";

endChildrenOnSignal();

const BENCHES: Record<string, () => Promise<{ run: (options: { people: number }) => AsyncIterable<Measurement> }>> = {
  import: () => import("./import.ts"),
  ledger: () => import("./ledger.ts"),
  system: () => import("./system.ts"),
};
const DEFAULT_PEOPLE = 2000;

const args = process.argv.slice(2);
const json = args.includes("--json");
const at = args.indexOf("--people");
const people = at >= 0 ? Number(args[at + 1]) : DEFAULT_PEOPLE;
const names = args.filter((arg, position) => !arg.startsWith("--") && (at < 0 || position !== at + 1));
const unknown = names.filter((name) => !Object.hasOwn(BENCHES, name));
if (unknown.length > 0 || !Number.isInteger(people) || people < 100) {
  process.stderr.write(`bench: names are ${Object.keys(BENCHES).join(", ")}; --people a whole number from 100\n`);
  process.exit(2);
}

const measured: Measurement[] = [];
for (const [name, load] of Object.entries(BENCHES)) {
  if (names.length > 0 && !names.includes(name)) continue;
  const { run } = await load();
  for await (const measurement of run({ people })) {
    measured.push(measurement);
    if (!json) process.stdout.write(`${toLine(measurement)}\n`);
  }
}
if (json) process.stdout.write(`${JSON.stringify({ people, measured })}\n`);
