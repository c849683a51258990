import { createPublicKey, randomUUID, verify } from "node:crypto";
import { leafHash, parseVerifierKey, prepareEntry } from "@tipstaff/ledger";
import { type Outcome, outcomeStatement, releaseInfo } from "@tipstaff/release-protocol";
import { openRelease, pseudonymOf, SealingError, systemRandom } from "@tipstaff/sealing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { keyholderHandlers as calls } from "../calls.ts";
import { releaseFacts } from "../entries/release-facts.ts";
import { keysOf } from "../roots/root-keys.ts";
import {
  type AskedRelease,
  type BureauKeys,
  base64url,
  createScenario,
  makeBureauKeys,
  ORIGIN,
  pinEverything,
  pinYaml,
  RECIPIENT,
  type Shown,
  startTestKeyholder,
  type TestJob,
  type TestKeyholder,
  wordOf,
} from "../test-scenario.ts";
import { isBadOneTimeKey } from "./decide-releases.ts";

let held: TestKeyholder;
let keys: BureauKeys;
let agreement: string;
let world: ReturnType<typeof createScenario>;

const start = async (edit?: (yaml: string) => string) => {
  keys = makeBureauKeys(edit);
  agreement = pinEverything(held, keys);
  world = createScenario(held, keys, agreement);
};
beforeEach(async () => {
  held = await startTestKeyholder();
  await start();
});
afterEach(() => held.end());

const openAnswer = async (outcome: Outcome, asked: AskedRelease, shown: Shown): Promise<Uint8Array> => {
  if (outcome.outcome !== "released") throw new Error(wordOf(outcome));
  const [leaf, identity] = [Buffer.from(shown.leaf, "base64url"), Buffer.from(asked.identity, "hex")];
  const place = { origin: ORIGIN, index: shown.index, leafHash: leafHash(leaf) };
  const info = releaseInfo({ attempt: asked.request.attempt, identity, ...place });
  const [enc, sealed] = [Buffer.from(outcome.enc, "base64url"), Buffer.from(outcome.sealed, "base64url")];
  return openRelease({ privateKey: asked.oneTime.privateKey, info, enc, sealed });
};

const isSigned = (outcome: Outcome): boolean => {
  if (outcome.outcome === "undecided") return false;
  const hash = Buffer.from(outcome.leafHash, "hex");
  const statement =
    outcome.outcome === "cancelled"
      ? outcomeStatement({ outcome: "cancelled", leafHash: hash, code: outcome.code })
      : outcomeStatement({
          outcome: "released",
          leafHash: hash,
          enc: Buffer.from(outcome.enc, "base64url"),
          sealed: Buffer.from(outcome.sealed, "base64url"),
        });
  const { publicKey } = parseVerifierKey(held.keyholder.keys.forceSigner.verifierKey);
  return verify(
    null,
    statement,
    createPublicKey({ key: Buffer.concat([SPKI_HEAD, publicKey]), format: "der", type: "spki" }),
    Buffer.from(outcome.signature, "base64url"),
  );
};

/** RFC 8410: the DER head of an Ed25519 public key. */
const SPKI_HEAD = Buffer.from("302a300506032b6570032100", "hex");

/** Logs a true release of a new job, shows it changed, and answers what became of it. */
const shownAs = async (
  change: (shown: Shown, other: Shown) => Shown,
  lines = ["line-1", "line-2"],
): Promise<string> => {
  const [job, otherJob] = [world.makeJob(), world.makeJob()];
  const mine = world.log(job, await world.ask(job, { line: lines[0] ?? "" }));
  const other = world.log(otherJob, await world.ask(otherJob, { line: lines[1] ?? "" }));
  const [outcome] = await world.decide(change(mine, other));
  if (outcome?.outcome === "cancelled") expect(isSigned(outcome)).toBe(true);
  return wordOf(outcome);
};

describe("a release that is in order", () => {
  test("is released: the bureau's one-time key opens the job's content key, and the force signed the outcome", async () => {
    const job = world.makeJob();
    const asked = await world.ask(job);
    const shown = world.log(job, asked);
    const [outcome] = await world.decide(shown);
    if (outcome?.outcome !== "released") throw new Error(wordOf(outcome));
    expect(base64url(await openAnswer(outcome, asked, shown))).toBe(base64url(job.contentKey));
    expect(isSigned(outcome)).toBe(true);
    expect(outcome.revealed.map(({ field }) => field)).toEqual(["kind", "recipient", "job", "attempt", "request"]);
    expect(outcome.revealed.find(({ field }) => field === "request")?.value).toBe(asked.identity);
  });

  test("has one outcome for ever: asked again, side by side, after a restart, and under a hold", async () => {
    const job = world.makeJob();
    const shown = world.log(job, await world.ask(job));
    const [[first], [second]] = await Promise.all([world.decide(shown), world.decide(shown, shown)]);
    expect(wordOf(first)).toBe("released");
    expect(second).toEqual(first);
    calls["holds/place"](held.keyholder, { recipient: RECIPIENT, hold: randomUUID(), reason: "test" });
    expect(await world.decide(shown)).toEqual([first]);
    held = await held.reopen();
    world = createScenario(held, keys, agreement);
    expect(await world.decide({ ...shown, proof: [], person: randomUUID() })).toEqual([first]);
    const leafHashes = [first?.leafHash ?? "", "0".repeat(64)];
    expect(calls["releases/outcomes"](held.keyholder, { leafHashes })).toEqual({ outcomes: [first, null] });
  });

  test("is decided later than the request's life after a crash, but not a day later", async () => {
    const [job, late] = [world.makeJob(), world.makeJob()];
    const shown = world.log(job, await world.ask(job));
    const lateShown = world.log(late, await world.ask(late, { line: "line-2" }));
    held.clock.now = new Date(held.clock.now.getTime() + 3_600_000);
    expect((await world.decide(shown)).map(wordOf)).toEqual(["released"]);
    held.clock.now = new Date(held.clock.now.getTime() + 24 * 3_600_000);
    expect((await world.decide(lateShown)).map(wordOf)).toEqual(["cancelled: stale"]);
  });
});

describe("what is no evidence about a logged release is not decided, and can be asked again", () => {
  test.each<[string, (shown: Shown, other: Shown) => Shown]>([
    ["a checkpoint that was never signed", (shown) => ({ ...shown, treeSize: shown.treeSize + 9 })],
    ["another index", (shown) => ({ ...shown, index: shown.index + 1 })],
    ["a shorter proof", (shown) => ({ ...shown, treeSize: 2, proof: [] })],
    ["another's proof", (shown, other) => ({ ...shown, proof: other.proof, treeSize: other.treeSize })],
    ["a leaf that is not in the log", (shown) => ({ ...shown, leaf: base64url(Buffer.alloc(481, 1)) })],
  ])("%s", async (_, change) => {
    expect(await shownAs(change)).toBe("undecided: not-logged");
  });

  test("another's openings, and openings that nobody sealed", async () => {
    expect(await shownAs((shown, other) => ({ ...shown, openings: other.openings }))).toBe("undecided: not-a-release");
    const cut = (text: string) => text.slice(0, 100);
    expect(await shownAs((shown) => ({ ...shown, openings: cut(shown.openings) }))).toBe("undecided: not-a-release");
  });

  test("an entry of another kind", async () => {
    const job = world.makeJob();
    const asked = await world.ask(job);
    const { wrapped: _, ...draft } = world.draftOf(job, asked);
    const shown = world.log(job, asked, { ...draft, kind: "receipt" });
    expect((await world.decide(shown)).map(wordOf)).toEqual(["undecided: not-a-release"]);
  });

  test("and is released once it is shown rightly", async () => {
    const job = world.makeJob();
    const shown = world.log(job, await world.ask(job));
    expect((await world.decide({ ...shown, treeSize: 99 })).map(wordOf)).toEqual(["undecided: not-logged"]);
    expect((await world.decide(shown)).map(wordOf)).toEqual(["released"]);
  });
});

describe("a logged release is cancelled, and signed so", () => {
  const withHeader = (shown: Shown, name: string, value: string): Shown => ({
    ...shown,
    request: { ...shown.request, headers: { ...shown.request.headers, [name]: value } },
  });

  test.each<[string, string, (shown: Shown, other: Shown) => Shown]>([
    ["an agreement that is not pinned", "agreement-not-in-force", (shown) => ({ ...shown, agreement: "0".repeat(64) })],
    ["no signature", "unsigned", (shown) => ({ ...shown, request: { ...shown.request, headers: {} } })],
    ["another method", "bad-signature", (shown) => ({ ...shown, request: { ...shown.request, method: "PUT" } })],
    [
      "another body",
      "bad-signature",
      (shown, other) => ({ ...shown, request: { ...shown.request, body: other.request.body } }),
    ],
    ["another's signed request", "malformed", (shown, other) => ({ ...shown, request: other.request })],
    ["another's person", "malformed", (shown, other) => ({ ...shown, person: other.person })],
    ["a person without a root", "withdrawn", (shown) => ({ ...shown, person: randomUUID() })],
    ["no wrapped key any more", "withdrawn", (shown) => ({ ...shown, wrapped: "" })],
    ["another's wrapped key", "malformed", (shown, other) => ({ ...shown, wrapped: other.wrapped })],
    ["another's context", "malformed", (shown, other) => ({ ...shown, context: other.context })],
    [
      "another's person, key and context",
      "malformed",
      (shown, other) => ({
        ...other,
        ...{
          leaf: shown.leaf,
          openings: shown.openings,
          index: shown.index,
          treeSize: shown.treeSize,
          proof: shown.proof,
          request: shown.request,
        },
      }),
    ],
    [
      "a changed key id",
      "unknown-key",
      (shown) =>
        withHeader(
          shown,
          "signature-input",
          (shown.request.headers["signature-input"] ?? "").replace("cardmaker-requests", "nobody"),
        ),
    ],
  ])("%s: %s", async (_, code, change) => {
    expect(await shownAs(change)).toBe(`cancelled: ${code}`);
  });

  test("a request signed with the receipts' key", async () => {
    const job = world.makeJob();
    const asked = await world.ask(job);
    const raw = world.signBody("/v1/releases", asked.request, { id: "cardmaker-receipts", privateKey: keys.receipts });
    expect((await world.decide(world.log(job, { ...asked, raw }))).map(wordOf)).toEqual(["cancelled: unknown-key"]);
    const forged = world.signBody("/v1/releases", asked.request, {
      id: "cardmaker-requests",
      privateKey: keys.receipts,
    });
    const again = world.makeJob();
    const shown = world.log(again, { ...(await world.ask(again)), raw: forged });
    expect((await world.decide(shown)).map(wordOf)).toEqual(["cancelled: bad-signature"]);
  });

  test("a request signed for another route", async () => {
    const job = world.makeJob();
    const asked = await world.ask(job);
    const raw = world.signBody("/v1/receipts", asked.request, { id: "cardmaker-requests", privateKey: keys.requests });
    expect((await world.decide(world.log(job, { ...asked, raw }))).map(wordOf)).toEqual(["cancelled: malformed"]);
  });

  test.each([
    ["another attempt", { attempt: 2 }],
    ["another order", { order: randomUUID() }],
    ["another request", { request: "0".repeat(64) }],
    ["another recipient", { recipient: "other" }],
    ["another agreement", { agreement: "0".repeat(64) }],
    ["another line", { detail: JSON.stringify({ line: "line-2", previous: "0".repeat(64) }) }],
    ["no line", { detail: "{}" }],
  ])("an entry that tells %s", async (_, change) => {
    const job = world.makeJob();
    const asked = await world.ask(job);
    const shown = world.log(job, asked, { ...world.draftOf(job, asked), ...change });
    expect((await world.decide(shown)).map(wordOf)).toEqual(["cancelled: malformed"]);
  });

  test("an entry dated outside the signature's life", async () => {
    const job = world.makeJob();
    const asked = await world.ask(job);
    const at = new Date(held.clock.now.getTime() - 3 * 60_000).toISOString();
    const shown = world.log(job, asked, { ...world.draftOf(job, asked), at });
    expect((await world.decide(shown)).map(wordOf)).toEqual(["cancelled: stale"]);
  });

  test("a one-time key that is none", async () => {
    const job = world.makeJob();
    const key = base64url(Buffer.alloc(1216, 255));
    expect(wordOf(await world.release(job, { key }))).toBe("cancelled: malformed");
  });

  test.each([
    ["a covert post", { postSensitivity: "covert" }],
    ["an unknown sensitivity", { postSensitivity: "none" }],
    ["a category that was not agreed", { categories: ["pd:Name", "pd:HomeAddress"] }],
    ["a category that must never go", { categories: ["tip:VettingLevel"] }],
    ["no category at all", { categories: [] }],
    ["a card kind that was not agreed", { cardKind: "key-ring" }],
  ])("%s, told as withdrawn", async (_, facts) => {
    expect(wordOf(await world.release(world.makeJob(facts)))).toBe("cancelled: withdrawn");
  });

  test("an erased person, told as withdrawn", async () => {
    const job = world.makeJob();
    const shown = world.log(job, await world.ask(job));
    calls["roots/erase"](held.keyholder, { person: job.person, actor: randomUUID(), at: held.clock.now.toISOString() });
    expect((await world.decide(shown)).map(wordOf)).toEqual(["cancelled: withdrawn"]);
  });

  test("a person erased while the key was being sealed, told as withdrawn", async () => {
    const job = world.makeJob();
    const shown = world.log(job, await world.ask(job));
    const deciding = world.decide(shown);
    calls["roots/erase"](held.keyholder, { person: job.person, actor: randomUUID(), at: held.clock.now.toISOString() });
    expect((await deciding).map(wordOf)).toEqual(["cancelled: withdrawn"]);
  });

  test("an agreement replaced while the key was being sealed", async () => {
    const job = world.makeJob();
    const shown = world.log(job, await world.ask(job));
    const deciding = world.decide(shown);
    const yaml = keys.yaml.replace("version: 1", "version: 2\nsupersedes: { id: exampleshire-cards, version: 1 }");
    pinYaml(held.keyholder, { ...keys, yaml });
    expect((await deciding).map(wordOf)).toEqual(["cancelled: agreement-not-in-force"]);
  });

  test("a key that cannot be sealed to, and not for what else went wrong", () => {
    expect(isBadOneTimeKey(new SealingError("malformed", "no key"))).toBe(true);
    expect(isBadOneTimeKey(new SealingError("invalid-input", "our own fault"))).toBe(false);
    expect(isBadOneTimeKey(new RangeError("out of memory"))).toBe(false);
  });

  test("an agreement that is over, not begun, or superseded", async () => {
    const job = world.makeJob();
    held.clock.now = new Date("2031-01-01T00:00:00.000Z");
    expect(wordOf(await world.release(job))).toBe("cancelled: agreement-not-in-force");
    held.clock.now = new Date("2025-12-31T23:59:59.000Z");
    expect(wordOf(await world.release(world.makeJob()))).toBe("cancelled: agreement-not-in-force");
    held.clock.now = new Date("2026-06-01T09:00:00.000Z");
    const yaml = keys.yaml.replace("version: 1", "version: 2\nsupersedes: { id: exampleshire-cards, version: 1 }");
    pinYaml(held.keyholder, { ...keys, yaml });
    expect(wordOf(await world.release(world.makeJob()))).toBe("cancelled: agreement-not-in-force");
  });
});

describe("what a desk in wrong hands could make up", () => {
  const flip = (leaf: string, at: number): string => {
    const bytes = Buffer.from(leaf, "base64url");
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    return base64url(bytes);
  };
  const COMMITMENTS_AT = 97;

  test("a leaf whose commitments are not those of its openings, in any slot but the actor's, is not released", async () => {
    for (const [slot, word] of [...Array(12).keys()].map(
      (at) => [at, at === 2 ? "cancelled: malformed" : "undecided: not-a-release"] as const,
    )) {
      if (slot === 3) continue;
      const job = world.makeJob();
      const asked = await world.ask(job, { line: `line-${slot}` });
      const entry = world.prepare(world.draftOf(job, asked));
      const leaf = flip(entry.leaf, COMMITMENTS_AT + 32 * slot);
      expect((await world.decide(world.logPrepared(job, asked, { ...entry, leaf }))).map(wordOf)).toEqual([word]);
    }
  });

  test("an entry about somebody else than the person whose key is shown", async () => {
    const [job, other] = [world.makeJob(), world.makeJob()];
    const asked = await world.ask(job);
    const { keys: force } = held.keyholder;
    const operation = Buffer.alloc(32, 1);
    const facts = {
      cardKind: "warrant-card",
      categories: ["pd:Name", "pd:Picture", "tip:Rank"],
      postSensitivity: "ordinary",
      rank: "PC",
    };
    const theirs = keysOf(held.keyholder, other.person);
    if (theirs === undefined) throw new Error("no root");
    const { recipient, order, attempt } = asked.request;
    const entry = prepareEntry({
      operationId: operation,
      fields: {
        ...{ kind: "release", recipient, subject: other.person, at: held.clock.now.toISOString(), agreement, order },
        ...{ job: job.job, attempt: String(attempt), request: asked.identity },
        facts: releaseFacts(facts, pseudonymOf(force.pseudonym, job.person)),
      },
      tag: { tagKey: theirs.tagKey(), n: 1 },
      keys: { log: force.log, subjectAudit: theirs.auditKey() },
      random: systemRandom,
    });
    const logged = { leaf: base64url(entry.leaf), openings: base64url(entry.openings) };
    expect((await world.decide(world.logPrepared(job, asked, logged))).map(wordOf)).toEqual(["cancelled: malformed"]);
  });

  test("a key wrapped for another order than the one asked for", async () => {
    const job = world.makeJob();
    const moved = world.wrap({ ...job, order: randomUUID() }, job.contentKey);
    const asked = await world.ask(job);
    const shown = world.log({ ...moved, order: job.order }, asked);
    expect((await world.decide(shown)).map(wordOf)).toEqual(["cancelled: malformed"]);
  });

  test("a key wrapped with other facts than the entry tells", async () => {
    const job = world.makeJob();
    const shown = world.log(job, await world.ask(job));
    const higher = world.wrap(job, job.contentKey, { rank: "Chief Constable" });
    const answer = await world.decide({ ...shown, wrapped: base64url(higher.wrapped) });
    expect(answer.map(wordOf)).toEqual(["cancelled: malformed"]);
  });
});

describe("limits of the agreement, by the keyholder's own counting", () => {
  const first = async (line: string): Promise<TestJob> => {
    const job = world.makeJob();
    expect(wordOf(await world.release(job, { line }))).toBe("released");
    return job;
  };

  test("a hold stops what comes after it, and only two people lift it", async () => {
    const [job, hold] = [world.makeJob(), randomUUID()];
    const shown = world.log(job, await world.ask(job));
    calls["holds/place"](held.keyholder, { recipient: RECIPIENT, hold, reason: "test" });
    expect((await world.decide(shown)).map(wordOf)).toEqual(["cancelled: held"]);
    const [one, two] = [randomUUID(), randomUUID()];
    const lift = (people: string[]) => calls["holds/lift"](held.keyholder, { recipient: RECIPIENT, hold, people });
    expect(() => lift([one, one])).toThrow(/two different people/);
    expect(wordOf(await world.release(world.makeJob()))).toBe("cancelled: held");
    expect(lift([one, two])).toEqual({ lifted: true });
    expect(wordOf(await world.release(world.makeJob()))).toBe("released");
    expect(calls["holds/place"](held.keyholder, { recipient: RECIPIENT, hold, reason: "test" })).toEqual({
      placed: false,
    });
  });

  test("a line has one open job until its signed receipt", async () => {
    const job = await first("line-1");
    expect(wordOf(await world.release(world.makeJob(), { line: "line-1" }))).toBe("cancelled: line-busy");
    await first("line-2");
    const byRequestsKey = { id: "cardmaker-requests", privateKey: keys.requests };
    expect(world.count(world.signBody("/v1/receipts", {}, byRequestsKey))).toBe(false);
    expect(world.count(world.receiptOf(job, { attempt: 2 }))).toBe(false);
    expect(world.count(world.receiptOf(job, { order: randomUUID() }))).toBe(false);
    expect(world.count(world.receiptOf(world.makeJob()))).toBe(false);
    expect(wordOf(await world.release(world.makeJob(), { line: "line-1" }))).toBe("cancelled: line-busy");
    expect(world.count(world.receiptOf(job))).toBe(true);
    expect(world.count(world.receiptOf(job))).toBe(true);
    expect(world.count(world.receiptOf(job, { result: "spoiled", reason: "jam" }))).toBe(false);
    await first("line-1");
  });

  test("a recipient uses no more lines than agreed, ever", async () => {
    held.end();
    held = await startTestKeyholder();
    await start((yaml) => yaml.replace("  lines: 64", "  lines: 2"));
    const job = await first("line-1");
    await first("line-2");
    expect(wordOf(await world.release(job, { attempt: 2, line: "line-3" }))).toBe("cancelled: line-busy");
    expect(world.count(world.receiptOf(job))).toBe(true);
    expect(wordOf(await world.release(world.makeJob(), { line: "line-3" }))).toBe("cancelled: line-busy");
    await first("line-1");
  });

  test("a receipt counts by the receipts' key of any pinned agreement with the recipient, and of nobody else", async () => {
    const job = await first("line-1");
    const next = makeBureauKeys((yaml) =>
      yaml
        .replace("version: 1", "version: 2\nsupersedes: { id: exampleshire-cards, version: 1 }")
        .replace("cardmaker-receipts", "cardmaker-receipts-2"),
    );
    const body: unknown = JSON.parse(Buffer.from(world.receiptOf(job).body, "base64url").toString("utf8"));
    const rotated = () =>
      world.signBody("/v1/receipts", body, { id: "cardmaker-receipts-2", privateKey: next.receipts });
    expect(world.count(rotated())).toBe(false);
    pinYaml(held.keyholder, { ...next, agreement: keys.agreement });
    const byRequests = { id: "cardmaker-requests", privateKey: next.requests };
    expect(world.count(world.signBody("/v1/receipts", body, byRequests))).toBe(false);
    expect(world.count(rotated())).toBe(true);
  });

  test("a job has two attempts, a third by approval, and none after a receipt", async () => {
    const job = await first("line-1");
    expect(wordOf(await world.release(job, { attempt: 1 }))).toBe("cancelled: attempt-refused");
    expect(wordOf(await world.release(job, { attempt: 2 }))).toBe("released");
    expect(wordOf(await world.release(job, { attempt: 3 }))).toBe("cancelled: attempt-refused");
    calls["attempts/approve"](held.keyholder, { job: job.job, attempt: 4, actor: randomUUID() });
    expect(wordOf(await world.release(job, { attempt: 5 }))).toBe("cancelled: attempt-refused");
    expect(wordOf(await world.release(job, { attempt: 4 }))).toBe("released");
    expect(world.count(world.receiptOf(job, { attempt: 2 }))).toBe(true);
    calls["attempts/approve"](held.keyholder, { job: job.job, attempt: 6, actor: randomUUID() });
    expect(wordOf(await world.release(job, { attempt: 6 }))).toBe("cancelled: already-answered");
  });

  test("a second leaf of the same request is refused, also when the first was cancelled", async () => {
    const job = world.makeJob();
    const asked = await world.ask(job);
    expect((await world.decide(world.log(job, asked), world.log(job, asked))).map(wordOf)).toEqual([
      "released",
      "cancelled: replayed",
    ]);
  });

  test("unaccounted cards stop the next job, not a further attempt, until they are scanned in", async () => {
    held.end();
    held = await startTestKeyholder();
    await start((yaml) => yaml.replace("unaccounted: 60000", "unaccounted: 2"));
    const jobs = [await first("line-1"), await first("line-2")];
    expect(wordOf(await world.release(world.makeJob(), { line: "line-3" }))).toBe("cancelled: limit-reached");
    const scan = (recipient: string, scanned: TestJob[]) =>
      calls["accounted/count"](held.keyholder, { recipient, jobs: scanned.map(({ job }) => job), actor: randomUUID() });
    expect(scan("other", jobs)).toEqual({ counted: 0 });
    expect(scan(RECIPIENT, [world.makeJob()])).toEqual({ counted: 0 });
    expect(wordOf(await world.release(jobs[1] ?? world.makeJob(), { line: "line-2", attempt: 2 }))).toBe("released");
    expect(scan(RECIPIENT, jobs.slice(0, 1))).toEqual({ counted: 1 });
    expect(scan(RECIPIENT, jobs.slice(0, 1))).toEqual({ counted: 1 });
    await first("line-3");
    expect(wordOf(await world.release(world.makeJob(), { line: "line-4" }))).toBe("cancelled: limit-reached");
  });

  test("the rate holds across restarts", async () => {
    held.end();
    held = await startTestKeyholder();
    await start((yaml) => yaml.replace("perHour: 900000, burst: 500", "perHour: 360, burst: 2"));
    for (const line of ["a", "b", "c"]) await first(line);
    expect(wordOf(await world.release(world.makeJob(), { line: "d" }))).toBe("cancelled: too-fast");
    held.clock.now = new Date(held.clock.now.getTime() + 10_000);
    await first("e");
    const before = held.keyholder.store.get("select tokens from counter");
    held = await held.reopen();
    expect(held.keyholder.store.get("select tokens from counter")).toEqual(before);
  });
});
