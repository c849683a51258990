import { randomUUID } from "node:crypto";
import { verifyOpening } from "@tipstaff/ledger";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { consoleHandlers as console } from "../calls.ts";
import { journalHead } from "../journal/journal.ts";
import { RefusedCall } from "../server/refused-call.ts";
import {
  createScenario,
  makeBureauKeys,
  pinEverything,
  startTestKeyholder,
  type TestKeyholder,
} from "../test-scenario.ts";

let held: TestKeyholder;
beforeEach(async () => {
  held = await startTestKeyholder();
});
afterEach(() => held.end());

const reason = "case 12";
const makeEntry = async () => {
  const keys = makeBureauKeys();
  const world = createScenario(held, keys, pinEverything(held, keys));
  const [job, other] = [world.makeJob(), world.makeJob()];
  const { leaf, openings } = world.prepare(world.draftOf(job, await world.ask(job)));
  const second = world.prepare(world.draftOf(other, await world.ask(other)));
  return { job, other, entry: { reason, leaf, openings }, second };
};
const show = (asked: Parameters<(typeof console)["openings/show"]>[1]) => {
  const answer = console["openings/show"](held.keyholder, asked);
  if (answer instanceof Promise) throw new Error("synchronous");
  return answer.openings.map(({ salt, ...rest }) => ({ ...rest, salt: Buffer.from(salt, "base64url") }));
};

describe("openings/show", () => {
  test("shows the fields asked for and no other, each as the leaf commits to it, and journals it", async () => {
    const { entry, job } = await makeEntry();
    const before = journalHead(held.keyholder.store).size;
    const shown = show({ ...entry, fields: ["job", "kind"] });
    expect(shown.map(({ field, value }) => [field, value])).toEqual([
      ["job", job.job],
      ["kind", "release"],
    ]);
    for (const { field, ...rest } of shown) {
      if (field !== "job" && field !== "kind") throw new Error("another field");
      expect(verifyOpening(Buffer.from(entry.leaf, "base64url"), { field, ...rest })).toBe(true);
    }
    expect(journalHead(held.keyholder.store).size).toBe(before + 1);
  });

  test("shows the subject to who names that person, and to nobody else", async () => {
    const { entry, job, other } = await makeEntry();
    expect(show({ ...entry, fields: ["subject"], subject: job.person })).toMatchObject([{ value: job.person }]);
    const before = journalHead(held.keyholder.store).size;
    for (const subject of [undefined, other.person, randomUUID()]) {
      const named = subject === undefined ? {} : { subject };
      expect(() => show({ ...entry, fields: ["subject"], ...named })).toThrow(RefusedCall);
    }
    expect(journalHead(held.keyholder.store).size).toBe(before);
  });

  test("refuses unknown fields, another entry's openings, and bytes that are neither", async () => {
    const { entry, second } = await makeEntry();
    const wrong = [
      { ...entry, fields: ["name"] },
      { ...entry, fields: ["kind"], openings: second.openings },
      { ...entry, fields: ["kind"], leaf: second.leaf },
      { ...entry, fields: ["kind"], openings: "" },
      { ...entry, fields: ["kind"], leaf: "AAAA" },
    ];
    for (const asked of wrong) expect(() => show(asked)).toThrow(RefusedCall);
  });
});
