import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseVerifierKey, verifyBytes } from "@tipstaff/ledger";
import { orderManifestSchema, orderStatement } from "@tipstaff/release-protocol";
import { openJob, SealingError } from "@tipstaff/sealing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { activateTestAgreement, signTestAgreement } from "../database/test-bureau.ts";
import { startTestDesk, type TestDesk } from "../database/test-desk.ts";
import { addTestPeople } from "../database/test-people.ts";
import { expireOrders } from "./expire-orders.ts";
import { removeHalfOrders } from "./remove-half-orders.ts";

let test: TestDesk;
let people: string[];
const covert = 3;
const orderSchema = z.object({ order: z.uuid(), jobs: z.int(), notIncluded: z.record(z.string(), z.int()) }).loose();
const codeOf = (body: unknown) => z.looseObject({ code: z.string() }).parse(body).code;

beforeAll(async () => {
  test = await startTestDesk();
  people = await addTestPeople(
    test.desk,
    Array.from({ length: 54 }, (_, index) =>
      index < covert ? { postSensitivity: "covert", surname: "Hidden" } : index === covert ? { portrait: false } : {},
    ),
  );
  await test.console("budget/raise", { openings: 5000, reason: "test" });
});
afterAll(async () => {
  await test?.stop();
});

describe("activating an agreement", () => {
  it("refuses one that the keyholder's console has not pinned", async () => {
    const { bytes, signatures } = await signTestAgreement(test);
    const body = { bytes: bytes.toString("base64url"), signatures };
    const answer = await test.as("security.one").post("/api/agreements/activate", body);
    expect([answer.status, codeOf(answer.body)]).toEqual([409, "not-pinned"]);
  });
  it("refuses one that a party has not signed, and one changed after signing", async () => {
    const { bytes, signatures } = await signTestAgreement(test);
    const activate = (over: object) =>
      test
        .as("security.one")
        .post("/api/agreements/activate", { bytes: bytes.toString("base64url"), signatures, ...over });
    const [force = "", bureau = ""] = signatures.split("\n");
    expect(codeOf((await activate({ signatures: `${force}\n` })).body)).toBe("recipient-not-signed");
    expect(codeOf((await activate({ signatures: `${bureau}\n` })).body)).toBe("controller-not-signed");
    const changed = Buffer.from(`${bytes.toString("utf8")}# more\n`).toString("base64url");
    expect(codeOf((await activate({ bytes: changed })).body)).toMatch(/not-signed/);
  });
  it("names the line of the signatures that cannot be read, and why", async () => {
    const { bytes, signatures } = await signTestAgreement(test);
    const activate = async (wrong: string) => {
      const body = { bytes: bytes.toString("base64url"), signatures: wrong };
      return (await test.as("security.one").post("/api/agreements/activate", body)).body;
    };
    const [force = "", bureau = ""] = signatures.split("\n");
    for (const [wrong, detail] of [
      [`${force}\n${bureau}\n${force}\n`, /^line 3: .*two signatures name the same key/],
      [`${force}\nrubbish\n${bureau}\n`, /^line 2: .*a signature line must read/],
      [`${force}\n${bureau}`, /^line 2: .*end in a newline/],
      ["", /^line 1: /],
    ] as const) {
      expect(await activate(wrong)).toMatchObject({
        ...{ status: 409, code: "signatures-malformed", detail: expect.stringMatching(detail) },
      });
    }
  });
  it("refuses whoever is not security", async () => {
    const answer = await test.as("production.lead").post("/api/agreements/activate", { bytes: "AA", signatures: "" });
    expect([answer.status, codeOf(answer.body)]).toEqual([403, "not-allowed"]);
  });
  it("takes two different people where it widens", async () => {
    const { bytes, signatures } = await signTestAgreement(test);
    const body = { bytes: bytes.toString("base64url"), signatures };
    await test.console("recipients/pin", { recipient: "cardmaker", verifierKey: test.bureau.verifierKey });
    await test.console("agreements/pin", body);
    const activate = (login: "security.one" | "security.two") => test.as(login).post("/api/agreements/activate", body);
    expect((await activate("security.one")).body).toMatchObject({ state: "proposed", peopleNeeded: 2 });
    expect((await activate("security.one")).body).toMatchObject({ state: "proposed" });
    expect((await activate("security.two")).body).toMatchObject({ state: "active" });
    expect((await activate("security.one")).body).toMatchObject({ state: "active" });
  });
});

describe("requests", () => {
  it("refuse an order while nothing is approved", async () => {
    const answer = await test.as("production.lead").post("/api/orders", { recipient: "cardmaker" });
    expect([answer.status, codeOf(answer.body)]).toEqual([409, "nothing-to-order"]);
  });
  it("answer a clerk who names a covert post as if there were nobody", async () => {
    const ask = (person: string) => test.as("cards.clerk").post("/api/requests", { items: [{ person }] });
    const hidden = await ask(people[0] ?? "");
    const nobody = await ask("00000000-0000-4000-8000-000000000000");
    expect(hidden.status).toBe(404);
    expect(hidden.text).toBe(nobody.text);
  });
  it("are made for everybody by a clerk, and for covert posts by a custodian alone", async () => {
    expect((await test.as("cards.clerk").post("/api/requests", { all: true })).body).toEqual({ requested: 51 });
    expect((await test.as("cards.clerk").post("/api/requests", { all: true })).body).toEqual({ requested: 0 });
    expect((await test.as("covert.custodian").post("/api/requests", { all: true })).body).toEqual({ requested: 3 });
  });
  it("show covert posts to custodians alone, in counts too", async () => {
    const list = async (login: "cards.clerk" | "covert.custodian") =>
      z
        .object({ counts: z.record(z.string(), z.int()), requests: z.array(z.object({ person: z.string() }).loose()) })
        .parse((await test.as(login).get("/api/requests?limit=1000")).body);
    const seen = await list("cards.clerk");
    expect(seen.counts).toEqual({ requested: 51 });
    expect(
      seen.requests.map(({ person }) => person).filter((person) => people.slice(0, covert).includes(person)),
    ).toEqual([]);
    expect((await list("covert.custodian")).counts).toEqual({ requested: 54 });
  });
  it("are not approved by whoever may only request, nor by their own requester", async () => {
    expect((await test.as("cards.clerk").post("/api/requests/approve", { all: true })).status).toBe(403);
    expect((await test.as("covert.custodian").post("/api/requests/approve", { all: true })).body).toEqual({
      approved: 0,
    });
    expect((await test.as("cards.approver").post("/api/requests/approve", { all: true })).body).toEqual({
      approved: 51,
    });
    expect((await test.as("covert.second").post("/api/requests/approve", { all: true })).body).toEqual({ approved: 3 });
  });
});

describe("an order", () => {
  let order: z.infer<typeof orderSchema>;
  const fileBytes = () => readFileSync(join(test.config.folders.orders, `${order.order}.order`));
  const parseFile = () => {
    const bytes = fileBytes();
    const first = bytes.indexOf(10);
    const second = bytes.indexOf(10, first + 1);
    const line = bytes.subarray(0, first);
    const manifest = orderManifestSchema.parse(JSON.parse(line.toString("utf8")));
    return { line, signature: bytes.subarray(first + 1, second), manifest, body: bytes.subarray(second + 1) };
  };

  it("refuses an unknown recipient and a role that does not produce", async () => {
    const lead = test.as("production.lead");
    expect(codeOf((await lead.post("/api/orders", { recipient: "nobody" })).body)).toBe("no-agreement");
    expect((await test.as("cards.clerk").post("/api/orders", { recipient: "cardmaker" })).status).toBe(403);
    expect((await lead.post("/api/orders", { recipient: "../x" })).status).toBe(400);
  });
  it("takes the approved requests but for those without a portrait and covert posts", async () => {
    const answer = await test.as("production.lead").post("/api/orders", { recipient: "cardmaker" });
    expect(answer.text).toMatch(/"sealed":50,"of":51|"sealed":51,"of":51/);
    order = orderSchema.parse(answer.body);
    expect(order).toMatchObject({ jobs: 50, notIncluded: { "no-portrait": 1 } });
    const { rows } = await test.desk.pool.query(
      "select count(*)::int n from job join person p on p.id = person_id where p.id = any($1::uuid[])",
      [people.slice(0, covert)],
    );
    expect(rows[0]).toEqual({ n: 0 });
  });
  it("is a file whose manifest is signed by the force, and whose ciphertexts fit their digests", () => {
    const { line, signature, manifest, body } = parseFile();
    const digest = createHash("sha256").update(line).digest();
    const key = parseVerifierKey(test.desk.forceVerifierKey);
    const bytes = Buffer.from(signature.toString("utf8"), "base64");
    expect(verifyBytes(key, orderStatement(digest), bytes)).toBe(true);
    expect(verifyBytes(key, orderStatement(digest.reverse()), bytes)).toBe(false);
    expect(manifest.jobs.length).toBe(50);
    let end = 0;
    for (const { offset, length, digest: stated } of manifest.jobs) {
      expect(offset).toBe(end);
      end = offset + length;
      expect(createHash("sha256").update(body.subarray(offset, end)).digest("hex")).toBe(stated);
    }
    expect(body.length).toBe(end);
  });
  it("holds no name, no number, no person's id, and no clear page", async () => {
    const bytes = fileBytes();
    for (const id of people) expect(bytes.includes(id)).toBe(false);
    for (const text of ["Surname", "Forename", "Constable", "%PDF", "Hidden"]) expect(bytes.includes(text)).toBe(false);
    const { rows } = await test.desk.pool.query<{ number: string }>("select number from card");
    expect(new Set(rows.map(({ number }) => number)).size).toBe(50);
    for (const { number } of rows) expect(bytes.includes(number)).toBe(false);
  });
  it("cannot be opened with another key than the job's own, nor with what the database holds", async () => {
    const { manifest, body } = parseFile();
    const [job] = manifest.jobs;
    if (job === undefined) throw new Error("no job");
    const { rows } = await test.desk.pool.query<{ context: Buffer; wrapped: Buffer }>(
      "select context, wrapped from job where id = $1",
      [job.job],
    );
    const row = rows[0];
    if (row === undefined) throw new Error("no row");
    const sealed = body.subarray(job.offset, job.offset + job.length);
    for (const contentKey of [Buffer.alloc(32), row.wrapped.subarray(0, 32), row.wrapped.subarray(12, 44)])
      expect(() => openJob({ contentKey, context: row.context, sealed })).toThrow(SealingError);
  });
  it("leaves nothing approved, one card inactive for each job, and an entry", async () => {
    const { rows } = await test.desk.pool.query("select validity, custody, count(*)::int n from card group by 1, 2");
    expect(rows).toEqual([{ validity: "inactive", custody: "bureau", n: 50 }]);
    const again = await test.as("production.lead").post("/api/orders", { recipient: "cardmaker" });
    expect(codeOf(again.body)).toBe("nothing-to-order");
    expect(readdirSync(test.config.folders.orders)).toEqual([`${order.order}.order`]);
  });
  it("gives a run its jobs once, and a closed run none", async () => {
    const lead = test.as("production.lead");
    const open = (body: object) => lead.post("/api/runs", { order: order.order, untilMinutes: 60, ...body });
    const runSchema = z.object({ run: z.uuid(), jobs: z.int() }).loose();
    const first = runSchema.parse((await open({ jobs: 20 })).body);
    const second = runSchema.parse((await open({})).body);
    expect([first.jobs, second.jobs]).toEqual([20, 30]);
    expect(codeOf((await open({})).body)).toBe("no-jobs-left");
    expect((await lead.post(`/api/runs/${first.run}/close`, {})).status).toBe(200);
    expect(codeOf((await lead.post(`/api/runs/${first.run}/close`, {})).body)).toBe("run-closed");
    expect(runSchema.parse((await open({})).body).jobs).toBe(20);
    expect(codeOf((await open({ order: people[0] })).body)).toBe("unknown-order");
  });
  it("frees its requests when it expires; their cards are void and new ones are made", async () => {
    const later = new Date(Date.now() + 15 * 24 * 3600 * 1000);
    expect(await expireOrders({ pool: test.desk.pool, now: () => later })).toBe(50);
    const { rows } = await test.desk.pool.query("select count(*)::int n from job where wrapped is not null");
    expect(rows[0]).toEqual({ n: 0 });
    const again = orderSchema.parse(
      (await test.as("production.lead").post("/api/orders", { recipient: "cardmaker" })).body,
    );
    expect(again.jobs).toBe(50);
    const cards = await test.desk.pool.query("select validity, count(*)::int n from card group by 1 order by 1");
    expect(cards.rows).toEqual([
      { validity: "inactive", n: 50 },
      { validity: "void", n: 50 },
    ]);
  });
});

describe("a half order", () => {
  it("is removed at the next start, file and row", async () => {
    const id = "11111111-1111-4111-8111-111111111111";
    const { rows } = await test.desk.pool.query<{ digest: Buffer; staff: string }>(
      "select digest, (select id from staff limit 1) staff from agreement limit 1",
    );
    await test.desk.pool.query(
      `insert into "order" (id, recipient, agreement_digest, state, created_by, created_at, expires_at)
       values ($1, 'cardmaker', $2, 'sealing', $3, now(), now())`,
      [id, rows[0]?.digest, rows[0]?.staff],
    );
    writeFileSync(join(test.config.folders.orders, `${id}.part`), "half");
    await removeHalfOrders(test.desk);
    const left = await test.desk.pool.query(`select 1 from "order" where id = $1`, [id]);
    expect(left.rowCount).toBe(0);
    expect(readdirSync(test.config.folders.orders).filter((name) => name.includes(id))).toEqual([]);
  });
});

describe("a post that became covert after its approval", () => {
  it("stays out, and waits for a custodian in a new request; the old one is withdrawn", async () => {
    const [person] = await addTestPeople(test.desk, [{ postSensitivity: "covert" }]);
    const by = [test.as("cards.clerk").id, test.as("cards.approver").id];
    await test.desk.pool.query(
      `insert into request (id, person_id, kind, state, route, requested_by, decided_by, decided_at)
       values (gen_random_uuid(), $1, 'warrant-card', 'approved', 'bureau', $2, $3, now())`,
      [person, ...by],
    );
    const order = await test.as("production.lead").post("/api/orders", { recipient: "cardmaker" });
    expect(order.text).not.toMatch(/covert/);
    const requests = async () =>
      (
        await test.desk.pool.query(
          "select state, route, decided_by from request where person_id = $1 order by state desc",
          [person],
        )
      ).rows;
    expect(await requests()).toEqual([
      { state: "withdrawn", route: "in-house", decided_by: by[1] },
      { state: "requested", route: "in-house", decided_by: null },
    ]);
    await test.as("cards.approver").post("/api/requests/approve", { all: true });
    expect(await requests()).toContainEqual({ state: "requested", route: "in-house", decided_by: null });
    expect((await test.as("covert.second").post("/api/requests/approve", { all: true })).body).toEqual({ approved: 1 });
  });
});

describe("a narrower agreement", () => {
  it("needs one person, and excludes at once what it no longer allows", async () => {
    await test.console("budget/raise", { openings: 5000, reason: "test" });
    const answer = await activateTestAgreement(test, (text) =>
      text
        .replace("version: 1", "version: 2")
        .replace("postSensitivity: [covert]", "postSensitivity: [covert, sensitive]"),
    );
    expect(answer.body).toMatchObject({ state: "active", peopleNeeded: 1 });
    const [sensitive] = await addTestPeople(test.desk, [{ postSensitivity: "sensitive" }]);
    await test.as("cards.clerk").post("/api/requests", { items: [{ person: sensitive }] });
    await test.as("cards.approver").post("/api/requests/approve", { all: true });
    const order = await test.as("production.lead").post("/api/orders", { recipient: "cardmaker" });
    expect(order.body).toMatchObject({ code: "nothing-to-order" });
    expect(order.text).toMatch(/1 that the agreement does not let this recipient hold/);
  });
});
