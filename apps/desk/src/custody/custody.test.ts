import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { activateTestAgreement } from "../database/test-bureau.ts";
import { startTestDesk, type TestDesk } from "../database/test-desk.ts";
import { addTestPeople } from "../database/test-people.ts";
import type { TestLogin } from "../database/test-staff.ts";

type Row = { number: string; blank: string; job: string; person: string; card: string };
let test: TestDesk;
let cards: Row[];
const codeOf = (body: unknown) => z.looseObject({ code: z.string() }).parse(body).code;
const refusals = (body: unknown) =>
  z
    .looseObject({ refused: z.array(z.looseObject({ reason: z.string() })) })
    .parse(body)
    .refused.map(({ reason }) => reason);

beforeAll(async () => {
  test = await startTestDesk();
  await addTestPeople(
    test.desk,
    Array.from({ length: 10 }, () => ({})),
  );
  await test.console("budget/raise", { openings: 500, reason: "test" });
  await activateTestAgreement(test);
  await orderAll();
  await test.desk.pool.query(
    "insert into recipient_state (recipient, tokens, tokens_at, unaccounted) values ('cardmaker', 0, now(), 8)",
  );
  cards = await readCards();
  // The states that a release and a receipt leave, for all but the last two cards.
  const released = cards.slice(0, 8).map(({ job }) => job);
  await test.desk.pool.query(
    "update job set state = 'produced', released_at = now(), receipt_at = now() where id = any($1::uuid[])",
    [released],
  );
  await test.desk.pool.query(
    "update card set blank = 'B-' || number from job where job.card_id = card.id and job.id = any($1::uuid[])",
    [released],
  );
  await spoil(cards[7]);
  await test.desk.pool.query("update job set state = 'released', receipt_at = null where id = $1", [cards[6]?.job]);
  cards = await readCards();
});
afterAll(async () => {
  await test?.stop();
});

async function orderAll() {
  await test.as("cards.clerk").post("/api/requests", { all: true });
  await test.as("cards.approver").post("/api/requests/approve", { all: true });
  const answer = await test.as("production.lead").post("/api/orders", { recipient: "cardmaker" });
  if (answer.status !== 200) throw new Error(answer.text);
}
async function readCards(): Promise<Row[]> {
  const { rows } = await test.desk.pool.query<Row>(
    "select c.number, c.blank, j.id job, c.person_id person, c.id card from card c join job j on j.card_id = c.id order by c.id",
  );
  return rows;
}
async function spoil(row: Row | undefined) {
  await test.desk.pool.query("update job set state = 'spoiled' where id = $1", [row?.job]);
  await test.desk.pool.query("update card set validity = 'void' where id = $1", [row?.card]);
}
const receive = (scans: object[], login: TestLogin = "front.desk") =>
  test.as(login).post("/api/cards/receive", { scans });
const handOver = (numbers: (string | undefined)[], identityChecked = true) =>
  test.as("front.desk").post("/api/cards/hand-over", { cards: numbers.map((number) => ({ number, identityChecked })) });
const unaccounted = async () =>
  (await test.desk.pool.query("select unaccounted from recipient_state")).rows[0]?.unaccounted;
const entries = async () => Number((await test.desk.pool.query("select count(*) n from ledger.intake")).rows[0]?.n);

describe("scanning in", () => {
  it("refuses a card that was never released, one that is not ours, and a number with a slip", async () => {
    expect(codeOf((await receive([{ number: cards[9]?.number }])).body)).toBe("never-released");
    expect(codeOf((await receive([{ blank: "B-unknown" }])).body)).toBe("unknown-card");
    expect((await receive([{ number: "1234567890" }, { blank: "x" }])).status).toBe(400);
    expect((await receive([{ blank: "B-1" }], "production.lead")).status).toBe(403);
    expect(await unaccounted()).toBe(8);
  });
  it("lowers the cap once for each card, whatever else is scanned, and tells the ledger", async () => {
    const before = await entries();
    const scans = [0, 1, 2, 3].map((index) => ({ blank: cards[index]?.blank }));
    const answer = await receive([
      ...scans,
      { blank: cards[0]?.blank },
      { number: cards[1]?.number },
      { blank: "B-no" },
    ]);
    expect(answer.body).toMatchObject({ received: 4 });
    expect(refusals(answer.body)).toEqual(["not-in-that-state", "not-in-that-state", "unknown-card"]);
    expect(await unaccounted()).toBe(4);
    expect(await entries()).toBe(before + 4);
    expect(codeOf((await receive(scans)).body)).toBe("not-in-that-state");
    expect(await unaccounted()).toBe(4);
  });
  it("counts a card once though two people scan it at the same moment", async () => {
    const scans = [{ blank: cards[4]?.blank }, { blank: cards[5]?.blank }];
    const answers = await Promise.all([receive(scans), receive(scans), receive(scans)]);
    expect(answers.filter(({ status }) => status === 200).length).toBe(1);
    expect(await unaccounted()).toBe(2);
  });
  it("counts a piece of plastic once though its contractor said its blank of two cards", async () => {
    const [counted, other] = [cards[4], cards[6]];
    const say = (blank: string | undefined) =>
      test.desk.pool.query("update card set blank = $1 where id = $2", [blank, other?.card]);
    await say(counted?.blank);
    expect(codeOf((await receive([{ blank: counted?.blank }])).body)).toBe("not-in-that-state");
    expect(await unaccounted()).toBe(2);
    await say(other?.blank);
  });
  it("takes a spoiled card and one without a receipt", async () => {
    const answer = await receive([{ blank: cards[7]?.blank }, { number: cards[6]?.number }]);
    expect(answer.body).toMatchObject({ received: 2 });
    expect(await unaccounted()).toBe(0);
    const { rows } = await test.desk.pool.query("select count(*)::int n from accounted_queue");
    expect(rows[0]).toEqual({ n: 8 });
  });
});

describe("handing over", () => {
  it("refuses without an identity check, a void card, one without a receipt, one not arrived", async () => {
    expect(codeOf((await handOver([cards[0]?.number], false)).body)).toBe("identity-not-checked");
    const answer = await handOver([cards[7]?.number, cards[6]?.number, cards[9]?.number, cards[0]?.number]);
    expect(answer.body).toMatchObject({ handedOver: 1 });
    expect(refusals(answer.body)).toEqual(["not-in-that-state", "not-produced", "not-produced"]);
  });
  it("refuses whoever requested the card, and the holder", async () => {
    const desk = test.as("front.desk");
    await test.desk.pool.query("update request set requested_by = $1 where person_id = $2", [
      desk.id,
      cards[1]?.person,
    ]);
    await test.desk.pool.query("update staff set person_id = $1 where id = $2", [cards[2]?.person, desk.id]);
    expect(codeOf((await handOver([cards[1]?.number])).body)).toBe("own-request");
    expect(codeOf((await handOver([cards[2]?.number])).body)).toBe("own-card");
    await test.desk.pool.query("update staff set person_id = null where id = $1", [desk.id]);
  });
  it("makes a card active once", async () => {
    expect((await handOver([cards[3]?.number])).body).toMatchObject({ handedOver: 1, superseded: 0 });
    expect(codeOf((await handOver([cards[3]?.number])).body)).toBe("not-in-that-state");
    const shown = await test.as("front.desk").get(`/api/cards/${cards[3]?.number}`);
    expect(shown.body).toMatchObject({ validity: "active", custody: "holder" });
  });
  it("lets a predecessor live until the swap, and revokes it then", async () => {
    const old = cards[3];
    await test.console("budget/raise", { openings: 500, reason: "test" });
    await test.as("cards.clerk").post("/api/requests", { items: [{ person: old?.person }] });
    await test.as("cards.approver").post("/api/requests/approve", { all: true });
    await test.as("production.lead").post("/api/orders", { recipient: "cardmaker" });
    const fresh = (await readCards()).find(({ person, card }) => person === old?.person && card !== old?.card);
    await test.desk.pool.query("update job set state = 'produced', released_at = now() where id = $1", [fresh?.job]);
    await test.desk.pool.query("update recipient_state set unaccounted = unaccounted + 1");
    await receive([{ number: fresh?.number }]);
    expect((await test.as("front.desk").get(`/api/cards/${old?.number}`)).body).toMatchObject({ validity: "active" });
    expect((await handOver([fresh?.number])).body).toMatchObject({ handedOver: 1, superseded: 1 });
    const shown = await test.as("front.desk").get(`/api/cards/${old?.number}`);
    expect(shown.body).toMatchObject({ validity: "revoked", revokedReason: "superseded" });
  });
});

describe("suspending and revoking", () => {
  const change = (verb: string, body: object, login: TestLogin = "security.one") =>
    test.as(login).post(`/api/cards/${cards[0]?.number}/${verb}`, body);

  it("refuses other reasons, other roles, other cards", async () => {
    expect((await change("revoke", { reason: "whim" })).status).toBe(400);
    expect((await change("revoke", { reason: "lost" }, "front.desk")).status).toBe(403);
    expect((await test.as("security.one").get("/api/cards/0000000000")).status).toBe(404);
    expect(codeOf((await change("resume", {})).body)).toBe("not-in-that-state");
  });
  it("suspends a lost card at once and keeps it missing; it is revoked later, for good", async () => {
    expect((await change("suspend", { reason: "lost" }, "front.desk")).body).toMatchObject({
      validity: "suspended",
      custody: "missing",
    });
    expect((await change("resume", {})).body).toMatchObject({ validity: "active" });
    expect((await change("revoke", { reason: "lost" })).body).toMatchObject({ validity: "revoked" });
    for (const [verb, body] of [
      ["suspend", { reason: "lost" }],
      ["resume", {}],
      ["revoke", { reason: "lost" }],
    ] as const)
      expect(codeOf((await change(verb, body)).body)).toBe("not-in-that-state");
  });
});

describe("the staff API", () => {
  it("refuses without a token, with a wrong one, with a clerk's for somebody else's duty", async () => {
    for (const authorization of [undefined, "Bearer x", `Bearer ${"A".repeat(43)}`, "Basic eDp5"]) {
      const headers = authorization === undefined ? {} : { authorization };
      const answer = await test.app.inject({ method: "GET", url: "/api/status", headers });
      expect(answer.statusCode).toBe(401);
      expect(answer.headers["content-type"]).toMatch(/^application\/problem\+json/);
    }
    expect((await test.as("cards.clerk").post("/api/runs", {})).status).toBe(403);
  });
  it("answers what it cannot read with a problem, and an unknown route too", async () => {
    const { token } = test.as("front.desk");
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const broken = await test.app.inject({ method: "POST", url: "/api/cards/receive", headers, payload: "{" });
    expect([broken.statusCode, codeOf(broken.json())]).toEqual([400, "malformed"]);
    expect(codeOf((await test.as("front.desk").get("/api/nothing")).body)).toBe("no-such-route");
  });
  it("tells nobody but a custodian how many people and how many covert posts there are", async () => {
    const seen = await test.as("cards.clerk").get("/api/status");
    expect(seen.text).not.toMatch(/inHouse|people/);
    expect((await test.as("covert.custodian").get("/api/status")).text).toMatch(/"inHouse":0/);
  });
});
