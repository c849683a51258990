import { THIEVES } from "../drill/levels.ts";
import type { DemoReport } from "./report.ts";
import type { Stage } from "./stage.ts";

/** The end of the demonstration, in words that take a chief constable a minute. */
export function summarise(report: DemoReport, stage: Stage, former: { people: number }): string {
  const n = (value: number) => value.toLocaleString("en-GB");
  const hours = (value: number) => value.toLocaleString("en-GB", { maximumFractionDigits: 2 });
  const { cards, exposure, ledger } = report;
  const thieves = report.drill.map(
    ({ level, people, ofPeople }) =>
      `  L${level}  ${n(people).padStart(6)} of ${n(ofPeople)} people   a thief who ${THIEVES[level]}`,
  );
  const columns = report.columnsNotStored.map(({ name }) => name).join(", ");
  return `
Exampleshire Police: ${n(report.people)} people, ${n(report.photos)} portraits, ${hours(report.seconds)} seconds

What was kept out
  Never stored, though HR sent it: ${columns}.
  ${n(report.rowsRefused)} broken rows were refused, each named by line and reason.

What was made
  ${n(cards.produced)} cards produced by the contractor, ${n(cards.spoiled)} spoiled, ${n(cards.received)} scanned in at the force.
  ${n(cards.inHouse)} covert posts never went to the contractor: they wait for printing in-house.
  ${n(report.releases)} single releases, ${n(report.receipts)} signed receipts. Holds: ${report.holds.map(({ reason }) => reason).join(", ") || "none"}.

What a thief could read now (of everybody whom HR's extract names, ${n(report.rowsRefused)} refused rows included)
${thieves.join("\n")}

Who was exposed, and for how long
  ${n(exposure.people)} people were in clear at the contractor, one card at a time.
  Person-hours in clear: digital ${hours(exposure.personHours.digital.trusted)} if its receipts are true, ${hours(exposure.personHours.digital.untrusted)} if none is;
  physical (plastic not yet scanned in) ${hours(exposure.personHours.physical.trusted)} and ${hours(exposure.personHours.physical.untrusted)}.
  Apart from that, declared and unproven: the contractor before this one held names and portraits of ${n(former.people)} people until last year.

Anybody can check it
  The ledger holds ${n(ledger.size)} entries and ${ledger.verified ? "verifies offline" : "DOES NOT VERIFY"}: ${ledger.origin} (unwitnessed).

Where to look
  cards    ${report.paths.cards}
  ledger   ${ledger.path}
  reports  ${report.paths.reports}
  extract  ${report.paths.extract}

Go on: npm run -s tipstaff -- --home ${stage.home.root} serve all`;
}
