import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { CliError } from "../cli-error.ts";
import { startTap } from "../drill/tap.ts";
import { generateExtract } from "../example-force/index.ts";
import type { Progress } from "../progress.ts";
import { establish, type Running, stopAll } from "../services/establish.ts";
import { makeHomeFolder } from "../services/home.ts";
import { initInstallation, openHome, publicPort } from "../services/installation.ts";
import { assertNotServed } from "../services/who-answers.ts";
import { declareFormer } from "./declare-former.ts";
import { exampleAgreement } from "./example-agreement.ts";
import { finishCards, importPeople, makeOrder, produce } from "./main-job.ts";
import { lookBack, reportDemo } from "./report.ts";
import type { Stage } from "./stage.ts";
import { summarise } from "./summary.ts";

const repository = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..", "..");
const MARKER = ".tipstaff-demo";
const LINES = 16;
const RECEIPT_WITHIN = "PT15S";

/** The whole main job on an example force, then the drill and an exposure report (DESIGN: demo). */
export async function runDemo(options: {
  folder: string;
  people: number;
  seed: string;
  progress: Progress;
  logLevel: string;
}) {
  const started = Date.now();
  await prepareFolder(options.folder);
  const { progress } = options;
  const { home, settings } = await initInstallation(options.folder, {
    force: "exampleshire-police",
    recipient: "cardmaker",
    tap: true,
  });
  const extractFolder = join(home.root, "extract");
  mkdirSync(extractFolder, { recursive: true });
  const extract = await progress.step("HR writes its extract and the portraits", (report) =>
    generateExtract({ people: options.people, seed: options.seed, folder: extractFolder, onProgress: report }),
  );
  const tap = await startTap({
    port: publicPort(settings),
    target: settings.ports.desk,
    file: home.wire,
  });
  let running: Running | undefined;
  let stage: Stage;
  let played: Awaited<ReturnType<typeof play>>;
  try {
    running = await progress.step("Force and bureau make their keys, sign the agreement, start", () =>
      establish(home, settings, {
        lines: LINES,
        logLevel: options.logLevel,
        agreement: (keys) => exampleAgreement(repository, { keys, receiptWithin: RECEIPT_WITHIN }),
      }),
    );
    stage = { home, settings, progress, extractFolder, extract, since: new Date(started) };
    played = await play(stage);
  } finally {
    await stopAll(running ?? {});
    await tap.stop();
  }
  const { former, ...told } = played;
  const report = await reportDemo(stage, { ...told, started });
  return { report, text: summarise(report, stage, former) };
}

/** The acts of the demonstration, from the import to the drill. */
async function play(stage: Stage) {
  const imported = await importPeople(stage);
  const first = await makeOrder(stage);
  const produced = await produce(stage, first);
  const again = produced.missing > 0 ? await makeOrder(stage) : undefined;
  const reprinted = again ? await produce(stage, again, { faults: false }) : undefined;
  const finished = await finishCards(stage);
  const former = await declareFormer(stage);
  const acts = { imported, runs: [produced, reprinted], orders: [first, again], finished };
  return { acts, former, ...(await lookBack(stage)) };
}

/** The demonstration owns its folder, and its database's where that lies elsewhere; what it did not make is never emptied. */
async function prepareFolder(folder: string): Promise<void> {
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    if (!existsSync(join(folder, MARKER))) {
      throw new CliError("bad-input", `${folder} is not empty and was not made by the demo.`, "Choose another --home.");
    }
    await assertNotServed(openHome(folder));
    rmSync(openHome(folder).postgres, { recursive: true, force: true });
    rmSync(folder, { recursive: true });
  }
  makeHomeFolder(folder);
  mark(folder);
  const database = dirname(openHome(folder).postgres);
  if (database === folder) return;
  if (existsSync(join(database, MARKER))) rmSync(database, { recursive: true });
  if (existsSync(database)) return;
  makeHomeFolder(database);
  mark(database);
}

function mark(folder: string): void {
  writeFileSync(join(folder, MARKER), "made by tipstaff demo; the next demo empties this folder\n");
}
