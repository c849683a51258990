import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openSubject, parsePolicy, parseVerifierKey, signatureLines, verifyPolicy } from "@tipstaff/ledger";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { keyholderHandlers as calls, consoleHandlers as console } from "./calls.ts";
import { sha256Hex } from "./encoding.ts";
import { journalHead, readJournal } from "./journal/journal.ts";
import { keysOf } from "./roots/root-keys.ts";
import { RefusedCall } from "./server/refused-call.ts";
import {
  base64url,
  createScenario,
  FORCE,
  makeBureauKeys,
  ORIGIN,
  pinEverything,
  RECIPIENT,
  startTestKeyholder,
  type TestKeyholder,
} from "./test-scenario.ts";

let held: TestKeyholder;
beforeEach(async () => {
  held = await startTestKeyholder();
});
afterEach(() => held.end());

const actor = randomUUID();
const people = (count: number) => Array.from({ length: count }, () => randomUUID());
const codeOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    return error instanceof RefusedCall ? error.code : String(error);
  }
  return "nothing was thrown";
};
const create = (batchId: string, persons: string[]) => calls["roots/create"](held.keyholder, { batchId, persons });
const open = (persons: string[]) =>
  calls["deks/open"](held.keyholder, { persons, purpose: "view", reference: "r", actor });

describe("roots", () => {
  test("roots/create answers the same DEKs for the same unconfirmed batch, at no charge", () => {
    const persons = people(3);
    const first = create("b-1", persons);
    expect(create("b-1", persons)).toEqual(first);
    expect(calls.status(held.keyholder, {})).toMatchObject({ budgetLeft: 500 });
    expect(open(persons)).toEqual({ ok: true, ...first });
    expect(calls.status(held.keyholder, {})).toMatchObject({ budgetLeft: 497 });
  });

  test("roots/create refuses people of another batch, of a confirmed one, and of one left open for an hour", () => {
    const persons = people(2);
    create("b-1", persons);
    expect(codeOf(() => create("b-2", persons))).toBe("root-exists");
    held.clock.now = new Date(held.clock.now.getTime() + 3_600_001);
    expect(codeOf(() => create("b-1", persons))).toBe("batch-too-old");
    expect(calls["roots/confirm"](held.keyholder, { batchId: "b-1" })).toEqual({ confirmed: 2 });
    expect(codeOf(() => create("b-1", persons))).toBe("root-exists");
  });

  test("roots/create refused for one makes none", () => {
    const [known, fresh] = [people(1), people(1)];
    create("b-1", known);
    expect(codeOf(() => create("b-2", [...fresh, ...known]))).toBe("root-exists");
    expect(open(fresh)).toEqual({ ok: true, deks: [null] });
  });

  test("roots/abandon takes the unconfirmed roots of its batch only", () => {
    const [one, two, three] = [people(1), people(2), people(1)];
    create("b-1", one);
    create("b-2", two);
    calls["roots/confirm"](held.keyholder, { batchId: "b-1" });
    create("b-1", three);
    expect(calls["roots/abandon"](held.keyholder, { batchId: "b-1" })).toEqual({ abandoned: 1 });
    expect(keysOf(held.keyholder, three[0] ?? "")).toBeUndefined();
    for (const person of [...one, ...two]) expect(keysOf(held.keyholder, person)).toBeDefined();
  });

  test("roots/erase leaves no trace of the wrapped root in any file", () => {
    const [person = ""] = people(1);
    create("b-1", [person]);
    create("b-1", people(200));
    const wrapped = held.keyholder.store.get("select wrapped from root where person = ?", person)?.wrapped;
    if (!(wrapped instanceof Uint8Array)) throw new Error("no root");
    const found = () =>
      readdirSync(held.folder).filter((name) => readFileSync(join(held.folder, name)).includes(Buffer.from(wrapped)));
    held.keyholder.store.settle();
    expect(found()).toEqual(["store.db"]);
    const erase = () => calls["roots/erase"](held.keyholder, { person, actor, at: held.clock.now.toISOString() });
    expect(erase()).toEqual({ erased: true });
    expect(found()).toEqual([]);
    expect(erase()).toEqual({ erased: false });
  });
});

describe("the budget of openings", () => {
  test("is charged for a view of nobody as for one of somebody, in journal and budget", () => {
    const [known = ""] = people(1);
    create("b-1", [known]);
    const cost = (person: string) => {
      const before = journalHead(held.keyholder.store).size;
      open([person]);
      const [entry] = readJournal(held.keyholder.store, { from: before, limit: 10 });
      const status = calls.status(held.keyholder, {});
      if (status instanceof Promise) throw new Error("synchronous");
      return { what: entry?.what, left: status.budgetLeft };
    };
    expect(cost(known)).toEqual({ what: "deks-opened", left: 499 });
    expect(cost(randomUUID())).toEqual({ what: "deks-opened", left: 498 });
  });

  test("opens all or none, charges each person once a call, and begins again at midnight UTC", () => {
    const persons = people(400);
    create("b-1", persons);
    expect(open([...persons, ...persons.slice(0, 9)])).toMatchObject({ ok: true });
    expect(open(persons.slice(0, 101))).toEqual({ ok: false, reason: "budget-exceeded", left: 100 });
    expect(open(persons.slice(0, 100))).toMatchObject({ ok: true });
    expect(open(persons.slice(0, 1))).toEqual({ ok: false, reason: "budget-exceeded", left: 0 });
    held.clock.now = new Date("2026-06-02T00:00:00.000Z");
    expect(open(persons)).toMatchObject({ ok: true });
  });

  test("is raised at the console for the day, and survives a restart", async () => {
    const persons = people(600);
    create("b-1", persons);
    expect(open(persons)).toMatchObject({ ok: false, left: 500 });
    expect(console["budget/raise"](held.keyholder, { openings: 150, reason: "order 12" })).toEqual({ left: 650 });
    held = await held.reopen();
    expect(open(persons)).toMatchObject({ ok: true });
    held = await held.reopen();
    expect(open(persons)).toMatchObject({ ok: false, left: 50 });
    held.clock.now = new Date("2026-06-02T09:00:00.000Z");
    expect(open(persons)).toMatchObject({ ok: false, left: 500 });
  });

  test("every opening stands in the journal, and a refused one does not", () => {
    const persons = people(2);
    create("b-1", persons);
    const { size } = journalHead(held.keyholder.store);
    open(persons);
    calls["deks/open"](held.keyholder, { persons: people(1), purpose: "order", reference: "r", actor });
    open([...persons, ...people(0)]);
    const entries = readJournal(held.keyholder.store, { from: size, limit: 10 });
    expect(entries.map(({ what }) => what)).toEqual(["deks-opened", "deks-opened"]);
    expect(JSON.parse(entries[0]?.detail ?? "")).toMatchObject({ purpose: "view", reference: "r", actor, count: 2 });
  });
});

describe("indexes/compute", () => {
  const compute = (purpose: "import" | "search", numbers: { field: string; value: string }[], rows: string[] = []) => {
    const answer = calls["indexes/compute"](held.keyholder, { purpose, reference: "r", actor, numbers, rows });
    if (answer instanceof Promise) throw new Error("synchronous");
    return answer;
  };
  const guesses = (count: number, from = 0) =>
    Array.from({ length: count }, (_, at) => ({ field: "pay", value: String(7_000_000 + from + at) }));

  test("a dictionary of numbers through a stolen desk ends with the day's budget, whatever it calls itself", () => {
    expect(compute("search", guesses(500))).toMatchObject({ ok: true });
    expect(compute("search", guesses(1, 500))).toEqual({ ok: false, reason: "budget-exceeded", left: 0 });
    expect(compute("import", guesses(900))).toMatchObject({ ok: true });
    expect(compute("import", guesses(60), Array.from({ length: 41 }, String))).toMatchObject({ ok: false, left: 100 });
    expect(compute("import", guesses(100))).toMatchObject({ ok: true });
    expect(compute("import", guesses(1))).toMatchObject({ ok: false, left: 0 });
  });

  test("a search counts as one opening whatever fields a number is looked for in, and an import as none", () => {
    const both = ["pay", "warrant"].map((field) => ({ field, value: "7000001" }));
    expect(compute("search", both)).toMatchObject({ ok: true });
    expect(compute("import", guesses(300))).toMatchObject({ ok: true });
    expect(calls.status(held.keyholder, {})).toMatchObject({ budgetLeft: 499 });
  });

  test("every answer stands in the journal with its asker and without a number, and a refused one does not", () => {
    const { size } = journalHead(held.keyholder.store);
    compute("search", guesses(3));
    compute("search", guesses(501));
    const entries = readJournal(held.keyholder.store, { from: size, limit: 10 });
    expect(entries.map(({ what }) => what)).toEqual(["indexes-computed"]);
    expect(JSON.parse(entries[0]?.detail ?? "")).toEqual({
      purpose: "search",
      reference: "r",
      actor,
      numbers: 3,
      rows: 0,
    });
  });

  test("gives equal indexes for equal numbers of one field only", () => {
    const numbers = [
      { field: "warrant", value: "1" },
      { field: "pay", value: "1" },
      { field: "warrant", value: "1" },
      { field: "warrant", value: "01" },
    ];
    const answer = compute("import", numbers, ["a", "b", "a"]);
    if (!answer.ok) throw new Error("the budget suffices");
    expect(answer.numbers[0]).toBe(answer.numbers[2]);
    expect(new Set(answer.numbers).size).toBe(3);
    expect(answer.rows[0]).toBe(answer.rows[2]);
    expect(answer.rows[0]).not.toBe(answer.rows[1]);
  });
});

describe("agreements", () => {
  const keys = makeBureauKeys();
  const pin = (yaml: string, signatures: string) =>
    console["agreements/pin"](held.keyholder, { bytes: base64url(Buffer.from(yaml)), signatures });
  const force = () => held.keyholder.keys.forceSigner;
  const lines = (yaml: string, ...signers: Parameters<typeof signatureLines>[1][number][]) =>
    signatureLines(Buffer.from(yaml), signers);
  const pinKey = (verifierKey = keys.agreement.verifierKey) =>
    console["recipients/pin"](held.keyholder, { recipient: RECIPIENT, verifierKey });

  test("are pinned after both parties signed, and not before", () => {
    expect(pin(keys.yaml, lines(keys.yaml, force(), keys.agreement))).toMatchObject({ ok: false });
    pinKey();
    const refused: [string, string, string][] = [
      ["recipient-not-signed", keys.yaml, lines(keys.yaml, force())],
      ["controller-not-signed", keys.yaml, lines(keys.yaml, keys.agreement)],
      ["controller-not-signed", `${keys.yaml}# more\n`, lines(keys.yaml, force(), keys.agreement)],
      ["recipient-not-signed", keys.yaml, lines(keys.yaml, force(), makeBureauKeys().agreement)],
      ["signatures-malformed", keys.yaml, "nonsense\n"],
    ];
    for (const [reason, yaml, signatures] of refused) {
      expect(pin(yaml, signatures)).toEqual({ ok: false, reason });
    }
    const other = keys.yaml.replace("id: cardmaker\n", "id: othermaker\n");
    expect(pin(other, lines(other, force(), keys.agreement))).toEqual({ ok: false, reason: "other-parties" });
    expect(pin("id: 1\n", lines("id: 1\n", force(), keys.agreement))).toMatchObject({ ok: false });
    expect(calls.status(held.keyholder, {})).toMatchObject({ agreements: [] });
    const pinned = pin(keys.yaml, lines(keys.yaml, force(), keys.agreement));
    expect(pinned).toMatchObject({ ok: true });
    expect(pin(keys.yaml, lines(keys.yaml, force(), keys.agreement))).toEqual(pinned);
  });

  test("are signed for the force only when they read as its own", () => {
    const signed = (yaml: string) =>
      console["agreements/sign"](held.keyholder, { bytes: base64url(Buffer.from(yaml)) });
    expect(codeOf(() => signed("tipstaff/outcome/v1\n"))).toBe("agreement-faulty");
    expect(codeOf(() => signed(keys.yaml.replace("id: exampleshire-police", "id: other")))).toBe("agreement-faulty");
    expect(codeOf(() => signed(keys.yaml.trimEnd()))).toBe("agreement-faulty");
    pinKey();
    const answer = signed(keys.yaml);
    if (answer instanceof Promise) throw new Error("synchronous");
    expect(pin(keys.yaml, answer.line + lines(keys.yaml, keys.agreement))).toMatchObject({ ok: true });
  });

  test("end when a later version is pinned that supersedes them, in whatever order, and though one between never was", () => {
    pinKey();
    const version = (n: number) => {
      const supersedes = n === 1 ? "" : `supersedes: { id: exampleshire-cards, version: ${n - 1} }\n`;
      return keys.yaml.replace(/^version: 1\n/m, `version: ${n}\n${supersedes}`);
    };
    const pinned = (n: number) => pin(version(n), lines(version(n), force(), keys.agreement));
    const digest = (n: number) => sha256Hex(Buffer.from(version(n)));
    for (const n of [1, 3, 2]) expect(pinned(n)).toEqual({ ok: true, digest: digest(n) });
    expect(calls.status(held.keyholder, {})).toMatchObject({ agreements: [digest(3)] });
  });

  test("are not checked by a key that bears the force's name, or is none", () => {
    expect(codeOf(() => pinKey(force().verifierKey))).toBe("verifier-key-faulty");
    expect(codeOf(() => pinKey("cardmaker+00000000+AAAA"))).toBe("verifier-key-faulty");
  });
});

describe("the log", () => {
  const sign = (origin: string = ORIGIN) =>
    calls["checkpoints/sign"](held.keyholder, {
      ...{ origin, oldSize: 0, size: 1, root: base64url(Buffer.alloc(32, 1)), consistency: [] },
    });

  const pinLog = (origin: string) => console["log/pin"](held.keyholder, { origin });
  const others = ["b.example/log", FORCE, `${FORCE}/log`, `${ORIGIN}/`, ORIGIN.toUpperCase()];

  test("is signed after it was pinned, and no other is pinned or signed, before it or after", () => {
    const refuseOthers = () => {
      for (const origin of others) expect(codeOf(() => pinLog(origin))).toBe("other-log");
    };
    refuseOthers();
    expect(codeOf(() => sign())).toBe("log-not-pinned");
    expect(pinLog(ORIGIN)).toEqual({ pinned: true });
    expect(pinLog(ORIGIN)).toEqual({ pinned: true });
    refuseOthers();
    for (const origin of others) expect(codeOf(() => sign(origin))).toBe("other-log");
    expect(sign()).toMatchObject({ ok: true });
  });

  test("is signed under its own name: a policy that names its key believes it, and a witness finds it", () => {
    pinLog(ORIGIN);
    const answer = sign();
    if (answer instanceof Promise || !answer.ok) throw new Error("not signed");
    const logVerifierKey = held.keyholder.keys.checkpointSigner.verifierKey;
    expect(calls.status(held.keyholder, {})).toMatchObject({ logVerifierKey });
    const policy = parsePolicy(Buffer.from(`log ${logVerifierKey}\nquorum none\n`));
    expect(verifyPolicy(Buffer.from(answer.note), { policy })).toMatchObject({ ok: true, log: ORIGIN });
    expect(parseVerifierKey(logVerifierKey).name).toBe(ORIGIN);
  });

  test("is not signed twice for one size, also after a restart", async () => {
    pinLog(ORIGIN);
    expect(sign()).toMatchObject({ ok: true });
    held = await held.reopen();
    expect(sign()).toMatchObject({ ok: true });
    const root = base64url(Buffer.alloc(32, 2));
    const fork = { origin: ORIGIN, oldSize: 0, size: 1, root, consistency: [] };
    expect(calls["checkpoints/sign"](held.keyholder, fork)).toMatchObject({ ok: false, reason: "fork", size: 1 });
  });
});

describe("entries and facts", () => {
  test("a release's facts come from the wrapped key, with the person's pseudonym, and are opened as one query", async () => {
    const keys = makeBureauKeys();
    const world = createScenario(held, keys, pinEverything(held, keys));
    const job = world.makeJob();
    const asked = await world.ask(job);
    const draft = world.draftOf(job, asked);
    const { operationId, openings } = world.prepare(draft);
    const query = (entries: { operationId: string; openings: string }[]) =>
      calls["facts/open"](held.keyholder, { reason: "exposure", actor, entries });
    const before = journalHead(held.keyholder.store).size;
    const nothing = { operationId: base64url(Buffer.alloc(32)), openings };
    const answer = query([
      { operationId, openings: "" },
      { operationId, openings },
      nothing,
      { operationId, openings: "" },
    ]);
    if (answer instanceof Promise) throw new Error("synchronous");
    expect([answer.facts[0], answer.facts[2]]).toEqual([null, null]);
    expect(answer.facts[3]).toEqual(answer.facts[1]);
    const facts = JSON.parse(answer.facts[1]?.facts ?? "");
    expect(facts).toMatchObject({ cardKind: "warrant-card", postSensitivity: "ordinary", rank: "PC" });
    expect(facts.pseudonym).toMatch(/^[0-9a-f]{32}$/);
    expect(JSON.stringify(answer)).not.toContain(job.person);
    expect(journalHead(held.keyholder.store).size).toBe(before + 1);
    const mine = keysOf(held.keyholder, job.person)?.auditKey() ?? new Uint8Array(32);
    const opened = openSubject(Buffer.from(openings, "base64url"), Buffer.from(operationId, "base64url"), mine);
    expect(opened?.fields.subject).toBe(job.person);
  });

  test("entries/prepare refuses facts of a release's own, another's wrapped key, unknown people and kinds", async () => {
    const keys = makeBureauKeys();
    const world = createScenario(held, keys, pinEverything(held, keys));
    const [job, other] = [world.makeJob(), world.makeJob()];
    const draft = world.draftOf(job, await world.ask(job));
    const refused: [string, Partial<typeof draft>][] = [
      ["malformed", { facts: "{}" }],
      ["malformed", { wrapped: undefined }],
      ["malformed", { kind: "party" }],
      ["malformed", { n: undefined }],
      ["malformed", { kind: "receipt" }],
      ["malformed", { detail: "[]" }],
      ["malformed", { detail: '{"a":1.5}' }],
      ["malformed", { at: "2026-02-30T00:00:00.000Z" }],
      ["wrapped-key-refused", { subject: other.person }],
      ["wrapped-key-refused", { wrapped: { key: base64url(other.wrapped), context: base64url(job.context) } }],
      ["unknown-person", { subject: randomUUID() }],
      ["unknown-person", { actor: randomUUID() }],
    ];
    for (const [code, change] of refused) {
      expect(codeOf(() => world.prepare({ ...draft, ...change } as typeof draft))).toBe(code);
    }
  });

  test("every entry about a person bears the pseudonym, whatever facts the desk brings", () => {
    const [person = ""] = people(1);
    create("b-1", [person]);
    const entry = { kind: "received", reference: "r", subject: person, n: 1, at: held.clock.now.toISOString() };
    const drafts = [entry, { ...entry, facts: '{"pseudonym":"mine","b":1,"a":2}' }];
    const prepared = calls["entries/prepare"](held.keyholder, { entries: drafts });
    if (prepared instanceof Promise) throw new Error("synchronous");
    const facts = prepared.entries.map((one, at) => {
      const held1 = { ...held.keyholder, factsCache: { get: () => undefined, set: () => undefined } };
      const answer = calls["facts/open"](held1, {
        reason: "x",
        actor,
        entries: [one].map(({ operationId, openings }) => ({ operationId, openings })),
      });
      return answer instanceof Promise ? at : answer.facts[0]?.facts;
    });
    expect(facts[0]).toMatch(/^\{"pseudonym":"[0-9a-f]{32}"\}$/);
    expect(facts[1]).toMatch(/^\{"a":2,"b":1,"pseudonym":"[0-9a-f]{32}"\}$/);
  });

  test("jobs/wrap refuses facts that name other categories than the context", () => {
    const keys = makeBureauKeys();
    const world = createScenario(held, keys, pinEverything(held, keys));
    const job = world.makeJob();
    const facts = { cardKind: "warrant-card", categories: ["pd:Name"], postSensitivity: "ordinary", rank: "PC" };
    const ask = (context: Uint8Array) => ({
      person: job.person,
      context: base64url(context),
      key: base64url(job.contentKey),
      facts,
    });
    expect(codeOf(() => calls["jobs/wrap"](held.keyholder, { jobs: [ask(job.context)] }))).toBe("malformed");
    expect(codeOf(() => calls["jobs/wrap"](held.keyholder, { jobs: [ask(Buffer.from("x"))] }))).toBe("malformed");
  });
});
