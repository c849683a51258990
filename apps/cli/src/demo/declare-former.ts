import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { deskApi } from "../services/installation.ts";
import type { Stage } from "./stage.ts";

const RECIPIENT = "former-cardmaker";
const PEOPLE = 12;
const LONGEST_NUMBER = 64;
const declaredSchema = z.looseObject({ declared: z.int() });
const exposureSchema = z.looseObject({ declared: z.looseObject({ people: z.looseObject({ untrusted: z.int() }) }) });

/** What happened before Tipstaff: the contractor of the years before held names and portraits of some people. */
export function declareFormer(stage: Stage): Promise<{ people: number }> {
  return stage.progress.step("Declared: what the contractor before this one held", async () => {
    const security = deskApi(stage.home, stage.settings, "security.one");
    const thisYear = stage.since.getUTCFullYear();
    const [from, to] = [`${thisYear - 6}-01-01`, `${thisYear}-01-01`];
    const terms = { recipient: RECIPIENT, from, to, categories: ["name", "portrait"] };
    const reason = "orders of the former contract, found in the archive";
    declaredSchema.parse(await security.post("/api/disclosures", { ...terms, lines: firstNumbers(stage), reason }));
    const window = new URLSearchParams({ recipient: RECIPIENT, from, to });
    const { declared } = exposureSchema.parse(await security.get(`/api/exposure?${window}`));
    return { people: declared.people.untrusted };
  });
}

/** The header of the extract and its first pay numbers. */
function firstNumbers({ extractFolder }: Stage): string[] {
  const lines = readFileSync(join(extractFolder, "extract.csv"), "utf8")
    .split(/\r?\n/)
    .slice(0, PEOPLE + 1);
  return lines.map((line) => (line.split(",")[0] ?? "").replaceAll('"', "").slice(0, LONGEST_NUMBER));
}
