import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { verifyLedger } from "../commands/ledger.ts";
import { originOf } from "../services/home.ts";
import { deskApi } from "../services/installation.ts";
import { type Drilled, drillApart } from "./drill-apart.ts";
import type { Imported, Order, Produced } from "./main-job.ts";
import type { Stage } from "./stage.ts";

const hours = z.looseObject({ trusted: z.number(), untrusted: z.number() });
const exposureSchema = z.looseObject({
  people: z.int(),
  personHours: z.looseObject({ digital: hours, physical: hours }),
});
const statusSchema = z.looseObject({
  releases: z.int(),
  receipts: z.int(),
  requests: z.looseObject({ inHouse: z.int() }),
});

export type DemoReport = ReturnType<typeof assemble>;

type Acts = {
  imported: Imported;
  orders: readonly (Order | undefined)[];
  runs: readonly (Produced | undefined)[];
  finished: { received: number; handedOver: number };
};

/** The last acts while everything still runs: exposure, counts, and the drill. */
export async function lookBack(stage: Stage) {
  const { home, settings, progress } = stage;
  const security = deskApi(home, settings, "security.one");
  const window = { recipient: settings.recipient, from: stage.since.toISOString(), to: new Date().toISOString() };
  const exposure = await progress.step("Exposure: who was in clear at the contractor, and for how long", async () =>
    exposureSchema.parse(await security.get(`/api/exposure?${new URLSearchParams(window)}`)),
  );
  writeFileSync(join(home.reports, "exposure.json"), JSON.stringify(exposure, null, 2));
  const status = statusSchema.parse(await deskApi(home, settings, "covert.custodian").get("/api/status"));
  progress.note("Drill: the copies are really taken and searched");
  const drill = await drillApart(stage);
  writeFileSync(join(home.reports, "drill.json"), JSON.stringify(drill, null, 2));
  copyFileSync(join(home.agreements, `${settings.recipient}.yaml`), join(home.reports, "agreement.yaml"));
  return { exposure, status, drill };
}

/** The ledger as it ends, verified offline when nothing can write to it any more; then all of it as one object. */
export async function reportDemo(stage: Stage, told: Omit<Findings, "ledger">) {
  const { home, settings, progress } = stage;
  const ledger = await progress.step("Everything stopped; the ledger verified offline from its files", () =>
    verifyLedger({ place: home.tiles, openings: home.openings, verifierKey: settings.logVerifierKey }),
  );
  const report = assemble(stage, { ...told, ledger });
  writeFileSync(join(home.reports, "demo.json"), JSON.stringify(report, null, 2));
  return report;
}

type Findings = {
  /** When the demonstration began, in milliseconds. */
  started: number;
  acts: Acts;
  exposure: z.infer<typeof exposureSchema>;
  status: z.infer<typeof statusSchema>;
  ledger: { size: number; verified: boolean };
  drill: Drilled;
};

function assemble(stage: Stage, { started, acts, exposure, status, ledger, drill }: Findings) {
  const sum = (numbers: readonly (number | undefined)[]) => numbers.reduce<number>((total, n) => total + (n ?? 0), 0);
  const { digital, physical } = exposure.personHours;
  return {
    people: acts.imported.people,
    photos: acts.imported.photos,
    columnsNotStored: acts.imported.columnsNotStored.map(({ name, category }) => ({ name, category })),
    rowsRefused: acts.imported.rowsRefused,
    cards: {
      ordered: sum(acts.orders.map((order) => order?.jobs)),
      produced: sum(acts.runs.map((run) => run?.produced)),
      spoiled: sum(acts.runs.map((run) => run?.spoiled)),
      received: acts.finished.received,
      inHouse: status.requests.inHouse,
    },
    releases: status.releases,
    receipts: status.receipts,
    holds: acts.runs.flatMap((run) => run?.holds ?? []),
    ledger: {
      path: stage.home.tiles,
      origin: originOf(stage.settings),
      size: ledger.size,
      verified: ledger.verified,
    },
    drill: drill.levels.map(({ level, people, ofPeople }) => ({ level, people, ofPeople })),
    exposure: {
      people: exposure.people,
      personHoursInClear: digital.trusted,
      personHours: {
        digital: { trusted: digital.trusted, untrusted: digital.untrusted },
        physical: { trusted: physical.trusted, untrusted: physical.untrusted },
      },
    },
    seconds: Math.round((Date.now() - started) / 100) / 10,
    paths: { extract: stage.extractFolder, cards: stage.home.printer, reports: stage.home.reports },
  };
}
