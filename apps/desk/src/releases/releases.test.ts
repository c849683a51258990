import { randomBytes } from "node:crypto";
import type { ReleaseRequest } from "@tipstaff/release-protocol";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestDesk, type TestDesk } from "../database/test-desk.ts";
import { expireOrders } from "../orders/expire-orders.ts";
import { createAgreementsInUse } from "./agreements-in-use.ts";
import { readAskedRelease } from "./asked-release.ts";
import { recoverReleases } from "./recover-releases.ts";
import { reserveReleases } from "./reserve-releases.ts";
import { eventually, readCounters } from "./test-model.ts";
import { makeRecipient, type TestRecipient } from "./test-recipient.ts";

let test: TestDesk;
beforeAll(async () => {
  test = await startTestDesk();
});
afterAll(async () => {
  await test.stop();
});

const count = async (sql: string, values: unknown[] = []): Promise<number> => {
  const { rows } = await test.desk.pool.query<{ n: string }>(`select count(*) n from ${sql}`, values);
  return Number(rows[0]?.n);
};

it("a job of an open run is released, once its entry stands on the ledger", async () => {
  const bureau = await makeRecipient(test);
  const request = bureau.makeRequest(bureau.place(bureau.jobs[0]), "line-1");
  const answer = await bureau.release(request);
  expect(answer.status).toBe(200);
  expect(answer.body).toMatchObject({ outcome: "released", job: request.job, attempt: 1 });
  expect(await count("job where id = $1 and state = 'released'", [request.job])).toBe(1);
});

it("a retry gets the same bytes and makes no entry", async () => {
  const bureau = await makeRecipient(test);
  const request = bureau.makeRequest(bureau.place(bureau.jobs[0]), "line-1");
  const [first, joined] = await Promise.all([bureau.release(request), bureau.release(request)]);
  const entries = await count("ledger.intake");
  const again = await bureau.release(request);
  expect(first.status).toBe(200);
  expect(joined.text).toBe(first.text);
  expect(again.text).toBe(first.text);
  expect(await count("ledger.intake")).toBe(entries);
});

it("a nonce is used once", async () => {
  const bureau = await makeRecipient(test);
  const request = bureau.makeRequest(bureau.place(bureau.jobs[0]), "line-1");
  const nonce = randomBytes(16);
  expect((await bureau.release(request, { nonce })).status).toBe(200);
  expect((await bureau.release(request, { nonce })).code).toBe("replayed");
});

it("a request is refused that is forged, stale, under-signed, or signed by a key for something else", async () => {
  const bureau = await makeRecipient(test);
  const request = bureau.makeRequest(bureau.place(bureau.jobs[0]), "line-1");
  const without = (name: string) => (headers: Record<string, string>) =>
    Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name));
  const other = { ...request, attempt: 2 };
  const asked = [
    bureau.release(request, { key: "stranger" }),
    bureau.release(request, { key: "receipts" }),
    bureau.release(request, { now: new Date(Date.now() - 600_000) }),
    bureau.release(request, { tamper: without("signature") }),
    bureau.release(request, { tamper: without("content-digest") }),
    bureau.release(request, { tamper: (headers) => ({ ...headers, "signature-input": "tipstaff=()" }) }),
    bureau.send({ method: "POST", path: "/v1/releases", body: { ...other, more: 1 } }),
    bureau.send({ method: "POST", path: "/v1/releases" }),
  ];
  const codes = (await Promise.all(asked)).map(({ code }) => code);
  const malformed = ["malformed", "malformed", "malformed", "malformed"];
  expect(codes).toEqual(["unknown-key", "unknown-key", "stale", "unsigned", ...malformed]);
  expect(await count("release where job_id = $1", [request.job])).toBe(0);
});

it("64 requests at once get exactly as many releases as may be unaccounted", async () => {
  const bureau = await makeRecipient(test, { jobs: 64, limits: { unaccounted: 20 } });
  const asked = bureau.jobs.map((job, at) => bureau.release(bureau.makeRequest(bureau.place(job), `line-${at}`)));
  const codes = (await Promise.all(asked)).map(({ status, code }) => code ?? status);
  expect(codes.filter((code) => code === 200)).toHaveLength(20);
  expect(codes.filter((code) => code === "limit-reached")).toHaveLength(44);
  expect(await readCounters(test, bureau.recipient)).toMatchObject({
    unaccounted: 20,
    out: 20,
    released: 20,
    entries: 20,
  });
});

it("64 requests at once get exactly as many releases as the burst, and are told when to come back", async () => {
  const bureau = await makeRecipient(test, { jobs: 64, limits: { perHour: 60, burst: 7 } });
  const asked = bureau.jobs.map((job, at) => bureau.release(bureau.makeRequest(bureau.place(job), `line-${at}`)));
  const answers = await Promise.all(asked);
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(7);
  const late = answers.filter(({ code }) => code === "too-fast");
  expect(late).toHaveLength(57);
  expect(Number(late[0]?.headers["retry-after"])).toBeGreaterThan(50);
});

it("requests for one slot of a line at once get one release, and the others break no chain", async () => {
  const bureau = await makeRecipient(test, { jobs: 8 });
  const first = await bureau.release(bureau.makeRequest(bureau.place(bureau.jobs[0]), "line-1"));
  const asked = bureau.jobs.slice(1).map((job) => bureau.release(bureau.makeRequest(bureau.place(job), "line-1")));
  const codes = (await Promise.all(asked)).map(({ code }) => code);
  expect(first.status).toBe(200);
  expect(new Set(codes)).toEqual(new Set(["line-busy"]));
});

it("an expired order keeps no key: a released job without a receipt stays released, and has no further attempt", async () => {
  const bureau = await makeRecipient(test, { jobs: 2 });
  const [first] = bureau.jobs;
  await bureau.release(bureau.makeRequest(bureau.place(first), "line-1"));
  await test.desk.pool.query(`update "order" set expires_at = $2 where id = $1`, [bureau.order, test.desk.now()]);
  await expireOrders(test.desk);
  const { rows } = await test.desk.pool.query(
    "select state, wrapped from job where order_id = $1 order by state desc",
    [bureau.order],
  );
  expect(rows).toEqual([
    { state: "released", wrapped: null },
    { state: "expired", wrapped: null },
  ]);
  const again = await bureau.release(bureau.makeRequest(bureau.place(first), "line-1", { attempt: 2 }));
  expect(again.code).toBe("expired");
  expect((await bureau.receipt(bureau.makeReceipt(bureau.place(first), "line-1"))).status).toBe(200);
});

it("a line too many is refused, held, and not told apart from a busy one", async () => {
  const bureau = await makeRecipient(test, { limits: { lines: 2 } });
  const ask = (job: number, line: string) => bureau.release(bureau.makeRequest(bureau.place(bureau.jobs[job]), line));
  expect([(await ask(0, "line-1")).status, (await ask(1, "line-2")).status]).toEqual([200, 200]);
  expect((await ask(2, "line-3")).text).toBe(
    '{"type":"about:blank","title":"line-busy","status":409,"code":"line-busy"}',
  );
  await bureau.receipt(bureau.makeReceipt(bureau.place(bureau.jobs[0]), "line-1"));
  expect((await ask(3, "line-1")).code).toBe("held");
});

it("whatever is asked in parallel, counters equal what they count, and no limit is passed", async () => {
  const limits = { perHour: 36_000, burst: 12, openPerLine: 2, unaccounted: 9 };
  const waves = fc.array(
    fc.array(fc.record({ job: fc.nat(15), line: fc.nat(3), receipt: fc.boolean() }), { minLength: 1, maxLength: 24 }),
    { minLength: 1, maxLength: 5 },
  );
  await fc.assert(
    fc.asyncProperty(waves, async (script) => {
      const bureau = await makeRecipient(test, { jobs: 16, limits });
      for (const wave of script) {
        const chains = new Map<string, number>();
        await Promise.all(
          wave.map(async ({ job, line, receipt }) => {
            const [place, name] = [bureau.place(bureau.jobs[job]), `line-${line}`];
            if (receipt) return bureau.receipt(bureau.makeReceipt(place, name));
            // A line asks for one thing at a time; two at once would be a fork.
            if (chains.has(name)) return undefined;
            chains.set(name, job);
            return bureau.release(bureau.makeRequest(place, name));
          }),
        );
        const counted = await readCounters(test, bureau.recipient);
        expect(counted.unaccounted).toBe(counted.out);
        // A receipt that conflicts holds the recipient: what is logged by then is cancelled, and its entry stays.
        expect(counted.entries).toBe(counted.released + counted.cancelled);
        expect(counted.unaccounted).toBeLessThanOrEqual(limits.unaccounted);
        for (const { open, waiting } of counted.lines) {
          expect(open).toBe(waiting);
          expect(open).toBeLessThanOrEqual(limits.openPerLine);
        }
      }
    }),
    // A run takes seconds: what failed is told as it was.
    { numRuns: 6, endOnFailure: true },
  );
});

it("a receipt that conflicts, while another card is being released, cancels it or comes after it", async () => {
  const bureau = await makeRecipient(test, { jobs: 12, limits: { openPerLine: 2 } });
  const [first, ...others] = bureau.jobs.map(bureau.place);
  if (first === undefined) throw new Error("no job");
  await bureau.release(bureau.makeRequest(first, "line-1"));
  expect((await bureau.receipt(bureau.makeReceipt(first, "line-1"))).status).toBe(200);
  const [conflict, ...released] = await Promise.all([
    bureau.receipt(bureau.makeReceipt(first, "line-2")),
    ...others.map((place, at) => bureau.release(bureau.makeRequest(place, `line-${at + 3}`))),
  ]);
  expect(conflict.code).toBe("already-answered");
  const open = released.filter(({ status }) => status === 200);
  const held = released.filter(({ code }) => code === "held");
  expect(open.length + held.length).toBe(others.length);
  const counted = await readCounters(test, bureau.recipient);
  expect(counted.released).toBe(1 + open.length);
  expect(counted.entries).toBe(counted.released + counted.cancelled);
  expect(counted.unaccounted).toBe(counted.out);
});

it("a person's record that changed withdraws the job, and the bureau is not told why", async () => {
  const bureau = await makeRecipient(test);
  const [changed, erased] = bureau.jobs;
  const update = (set: string, job: string | undefined) =>
    test.desk.pool.query(`update person set ${set} where id = (select person_id from job where id = $1)`, [job]);
  await update("record_version = record_version + 1", changed);
  await update("presence = 'erased'", erased);
  const answers = await Promise.all([
    bureau.release(bureau.makeRequest(bureau.place(changed), "line-1")),
    bureau.release(bureau.makeRequest(bureau.place(erased), "line-2")),
  ]);
  expect(answers.map(({ text }) => text)).toEqual([
    '{"type":"about:blank","title":"withdrawn","status":410,"code":"withdrawn"}',
    '{"type":"about:blank","title":"withdrawn","status":410,"code":"withdrawn"}',
  ]);
});

it("a person whom somebody else is writing about delays the job and does not stop the others", async () => {
  const bureau = await makeRecipient(test);
  const client = await test.desk.pool.connect();
  await client.query("begin");
  await client.query("select from person where id = (select person_id from job where id = $1) for update", [
    bureau.jobs[0],
  ]);
  const slow = bureau.release(bureau.makeRequest(bureau.place(bureau.jobs[0]), "line-1"));
  const others = bureau.jobs
    .slice(1)
    .map((job) => bureau.release(bureau.makeRequest(bureau.place(job), `line-${job}`)));
  expect((await Promise.all(others)).map(({ status }) => status)).toEqual(others.map(() => 200));
  await client.query("rollback");
  client.release();
  expect((await slow).status).toBe(200);
});

it("a further attempt is a linked entry in the same slot; one beyond the agreement's takes a person", async () => {
  const bureau = await makeRecipient(test);
  const place = bureau.place(bureau.jobs[0]);
  const ask = (attempt: number) => bureau.release(bureau.makeRequest(place, "line-1", { attempt }));
  expect((await ask(1)).status).toBe(200);
  expect((await ask(2)).status).toBe(200);
  expect((await ask(3)).code).toBe("attempt-refused");
  expect(await readCounters(test, bureau.recipient)).toMatchObject({ unaccounted: 1, entries: 2 });
  const refused = await test.as("production.lead").post("/api/attempts/approve", { job: place.job, attempt: 3 });
  expect(refused.status).toBe(403);
  const approved = await test.as("security.one").post("/api/attempts/approve", { job: place.job, attempt: 3 });
  expect(approved.status).toBe(200);
  expect((await ask(3)).status).toBe(200);
});

it("a keyholder that is away means `unavailable`, and a retry gets its answer when it is back", async () => {
  const bureau = await makeRecipient(test, { jobs: 4 });
  const requests = bureau.jobs.map((job, at) => bureau.makeRequest(bureau.place(job), `line-${at}`));
  await test.keyholder().kill("SIGKILL");
  const answers = await Promise.all(requests.map((request) => bureau.release(request)));
  expect(new Set(answers.map(({ code }) => code))).toEqual(new Set(["unavailable"]));
  await test.restartKeyholder();
  const again = await Promise.all(requests.map((request) => bureau.release(request)));
  expect(again.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
});

/** Reserves these requests as a desk does that dies right after. */
async function reserveOnly(bureau: TestRecipient, requests: readonly ReleaseRequest[]): Promise<void> {
  const asked = await Promise.all(
    requests.map(async (request) => {
      const raw = await bureau.capture(request);
      const read = readAskedRelease({ raw, body: Buffer.from(raw.body, "base64url"), recipient: bureau.recipient });
      if (read === undefined) throw new Error("no request");
      return read;
    }),
  );
  const { byDigest } = await createAgreementsInUse(test.desk.pool)("now");
  const reserved = await reserveReleases(test.desk, { recipient: bureau.recipient, asked, agreements: byDigest });
  expect(reserved.map(({ kind }) => kind)).toEqual(requests.map(() => "reserved"));
  await test.desk.pool.query("update release set reserved_at = now() - interval '1 minute' where recipient = $1", [
    bureau.recipient,
  ]);
}

it("what was reserved and logged before a crash is taken to its outcome, by the request as it came", async () => {
  const bureau = await makeRecipient(test, { jobs: 4 });
  const requests = bureau.jobs.map((job, at) => bureau.makeRequest(bureau.place(job), `line-${at}`));
  await reserveOnly(bureau, requests);
  const isDone = async () => {
    await recoverReleases(test.desk);
    return (await readCounters(test, bureau.recipient)).released === 4;
  };
  expect(await eventually(isDone)).toBe(true);
  const retries = await Promise.all(requests.map((request) => bureau.release(request)));
  expect(retries.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  expect(await readCounters(test, bureau.recipient)).toMatchObject({ entries: 4, released: 4 });
});

it("a job that was reserved is not released after its person's record changed", async () => {
  const bureau = await makeRecipient(test, { jobs: 2 });
  const requests = bureau.jobs.map((job, at) => bureau.makeRequest(bureau.place(job), `line-${at}`));
  await reserveOnly(bureau, requests);
  await test.desk.pool.query(
    "update person set record_version = record_version + 1 where id = (select person_id from job where id = $1)",
    [bureau.jobs[0]],
  );
  await recoverReleases(test.desk);
  const [changed, other] = await Promise.all(requests.map((request) => bureau.release(request)));
  expect([changed?.status, other?.status]).not.toContain(503);
  expect(changed?.status).not.toBe(200);
  expect(other?.status).toBe(200);
  expect(await count("job where id = $1 and state = 'cancelled' and wrapped is null", [bureau.jobs[0]])).toBe(1);
  expect(await readCounters(test, bureau.recipient)).toMatchObject({ unaccounted: 1, released: 1 });
});

it("a job that was reserved is not released under a hold that the keyholder had not heard of yet", async () => {
  const bureau = await makeRecipient(test, { jobs: 1 });
  const request = bureau.makeRequest(bureau.place(bureau.jobs[0]), "line-1");
  await reserveOnly(bureau, [request]);
  await test.restartKeyholder();
  await test.desk.pool.query(
    `insert into hold (id, recipient, reason, placed_at) values (gen_random_uuid(), $1, 'by-hand', now())`,
    [bureau.recipient],
  );
  await recoverReleases(test.desk);
  expect((await bureau.release(request)).code).toBe("held");
  expect(await readCounters(test, bureau.recipient)).toMatchObject({ unaccounted: 0, released: 0 });
});

it("an outcome that only the keyholder has is fetched from it, and nothing is decided again", async () => {
  const bureau = await makeRecipient(test, { jobs: 1 });
  const request = bureau.makeRequest(bureau.place(bureau.jobs[0]), "line-1");
  const first = await bureau.release(request);
  await test.desk.pool.query(
    `update release set state = 'reserved', outcome = null, reserved_at = now() - interval '1 minute' where recipient = $1`,
    [bureau.recipient],
  );
  await test.desk.pool.query("update job set state = 'reserved' where id = $1", [request.job]);
  await recoverReleases(test.desk);
  const again = await bureau.release(request);
  expect(again.body).toMatchObject({ enc: first.body.enc, sealed: first.body.sealed, signature: first.body.signature });
});
