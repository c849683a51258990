import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { toRequestedText } from "./answer-texts.ts";
import { contextOf } from "./context.ts";

export function registerCards(program: Command): void {
  const cards = program.command("cards").description("request, approve, receive, hand over, suspend, revoke, show");
  cards
    .command("request [people...]")
    .description("ask for a card for these people (ids), or for everybody without one")
    .option("--all", "everybody present who has neither card nor open request")
    .option("--kind <kind>", "warrant-card or staff-pass; by role when left out")
    .action(async (people: string[], options: { all?: boolean; kind?: string }, command: Command) => {
      demandSome(people, options.all, "people");
      const items = people.map((person) => ({ person, ...(options.kind ? { kind: options.kind } : {}) }));
      const context = contextOf(command);
      const body = options.all ? { all: true } : { items };
      const answer = await context.desk("cards.clerk").post("/api/requests", body);
      context.answer(answer, toRequestedText(answer));
    });
  cards
    .command("approve [requests...]")
    .description("approve requests of somebody else")
    .option("--all", "all that wait")
    .action(async (requests: string[], options: { all?: boolean }, command: Command) => {
      const context = contextOf(command);
      demandSome(requests, options.all, "requests");
      const body = options.all ? { all: true } : { requests };
      context.answer(await context.desk("cards.approver").post("/api/requests/approve", body));
    });
  cards
    .command("receive <blanks...>")
    .description("scan cards in at the force, by the serial of the blank")
    .action(async (blanks: string[], _options: unknown, command: Command) => {
      const context = contextOf(command);
      const scans = blanks.map((blank) => ({ blank }));
      context.answer(await context.desk("front.desk").post("/api/cards/receive", { scans }));
    });
  cards
    .command("hand-over <numbers...>")
    .description("hand cards to their holders, whose identity you have checked")
    .requiredOption("--identity-checked", "you have checked the holder's identity")
    .action(async (numbers: string[], _options: unknown, command: Command) => {
      const context = contextOf(command);
      const body = { cards: numbers.map((number) => ({ number, identityChecked: true })) };
      context.answer(await context.desk("front.desk").post("/api/cards/hand-over", body));
    });
  for (const verb of ["suspend", "revoke"] as const) {
    cards
      .command(`${verb} <number>`)
      .requiredOption("--reason <reason>", "lost, stolen, damaged, superseded, leaver, dismissed or compromised")
      .action(async (number: string, options: { reason: string }, command: Command) => {
        const context = contextOf(command);
        const path = `/api/cards/${encodeURIComponent(number)}/${verb}`;
        context.answer(await context.desk("security.one").post(path, { reason: options.reason }));
      });
  }
  cards.command("show <number>").action(async (number: string, _options: unknown, command: Command) => {
    const context = contextOf(command);
    context.answer(await context.desk("front.desk").get(`/api/cards/${encodeURIComponent(number)}`));
  });
}

function demandSome(ids: readonly string[], all: boolean | undefined, what: "people" | "requests"): void {
  if (all === true || ids.length > 0) return;
  const how = what === "people" ? "tipstaff people find NUMBER tells a person's id." : "cards request makes them.";
  throw new CliError("bad-input", `No ${what} are named.`, `Name their ids, or say --all. ${how}`);
}
