import { createHash, createPublicKey, type KeyObject, randomBytes, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { findCategory } from "@tipstaff/agreement";
import { createNoteSigner } from "@tipstaff/ledger";
import { encodeJobContext } from "@tipstaff/sealing";
import { z } from "zod";
import type { TestDesk } from "../database/test-desk.ts";
import { createTestBureau, type JobPlace, type TestBureau } from "./test-bureau.ts";

const EXAMPLE = new URL("../../../../examples/agreements/card-contractor.yaml", import.meta.url);

export type TestLimits = {
  readonly perHour: number;
  readonly burst: number;
  readonly openPerLine: number;
  readonly lines: number;
  readonly unaccounted: number;
  readonly receiptWithin: string;
};
const WIDE: TestLimits = {
  perHour: 10_000_000,
  burst: 100_000,
  openPerLine: 1,
  lines: 64,
  unaccounted: 100_000,
  receiptWithin: "PT2M",
};

export type TestRecipient = TestBureau & {
  readonly agreement: string;
  readonly run: string;
  readonly order: string;
  readonly jobs: readonly string[];
  readonly place: (job: string | undefined) => JobPlace;
  /** A further order of new people, with a run of its own. */
  readonly addOrder: (jobs: number) => Promise<TestOrder>;
};
export type TestOrder = { readonly run: string; readonly order: string; readonly jobs: readonly string[] };

/** A recipient with a signed, pinned and active agreement, an order of sealed jobs of new people, and a run of them. */
export async function makeRecipient(
  test: TestDesk,
  { jobs = 8, limits = {} }: { jobs?: number; limits?: Partial<TestLimits> } = {},
): Promise<TestRecipient> {
  const recipient = `maker-${randomBytes(4).toString("hex")}`;
  const replyKey = createPublicKey(test.desk.replyKey.privateKey);
  const bureau = createTestBureau({ app: test.app, replyKey, recipient });
  const agreement = await agree(test, bureau, { ...WIDE, ...limits });
  const order = await makeOrder(test, { recipient, agreement, jobs });
  const place = (job: string | undefined) => ({ agreement, run: order.run, order: order.order, job: job ?? "" });
  const addOrder = (more: number) => makeOrder(test, { recipient, agreement, jobs: more });
  return { ...bureau, ...order, agreement, place, addOrder };
}

const signed = z.object({ line: z.string() });
const pinned = z.object({ ok: z.boolean(), reason: z.string().optional() });

async function agree(test: TestDesk, bureau: TestBureau, limits: TestLimits): Promise<string> {
  const { recipient } = bureau;
  const text = agreementText(bureau, limits);
  const bytes = Buffer.from(text);
  const signer = createNoteSigner(`${recipient}.example`, randomBytes(32));
  await test.console("recipients/pin", { recipient, verifierKey: signer.verifierKey });
  const { line } = signed.parse(await test.console("agreements/sign", { bytes: bytes.toString("base64url") }));
  const keyId = Buffer.from(signer.keyId, "hex");
  const own = `— ${signer.name} ${Buffer.concat([keyId, signer.sign(bytes)]).toString("base64")}\n`;
  const signatures = line.endsWith("\n") ? line + own : `${line}\n${own}`;
  const answer = pinned.parse(await test.console("agreements/pin", { bytes: bytes.toString("base64url"), signatures }));
  if (!answer.ok) throw new Error(`not pinned: ${answer.reason}`);
  const digest = createHash("sha256").update(bytes).digest();
  await test.desk.pool.query(
    `insert into agreement (digest, id, version, recipient, bytes, signatures, activated_by, activated_at)
     values ($1, $2, 1, $2, $3, $4, $5, now())`,
    [digest, recipient, bytes, signatures, test.as("security.one").id],
  );
  return digest.toString("hex");
}

function agreementText({ recipient, keys }: TestBureau, limits: TestLimits): string {
  const example = readFileSync(EXAMPLE, "utf8");
  const [before = "", rest = ""] = example.split("  keys:\n");
  const after = rest.slice(rest.indexOf("  # end of keys"));
  const entry = (use: "requests" | "receipts") =>
    `    - { id: ${recipient}-${use}, use: ${use}, publicKey: ${rawKey(keys[use].publicKey)} }\n`;
  return `${before}  keys:\n${entry("requests")}${entry("receipts")}${after}`
    .replace("id: cardmaker\n", `id: ${recipient}\n`)
    .replace("id: exampleshire-cards\n", `id: ${recipient}\n`)
    .replace(/rate: \{.*\}/, `rate: { perHour: ${limits.perHour}, burst: ${limits.burst} }`)
    .replace(/openPerLine: \d+/, `openPerLine: ${limits.openPerLine}`)
    .replace(/lines: \d+/, `lines: ${limits.lines}`)
    .replace(/unaccounted: \d+/, `unaccounted: ${limits.unaccounted}`)
    .replace(/receiptWithin: \w+/, `receiptWithin: ${limits.receiptWithin}`);
}

function rawKey(key: KeyObject): string {
  return key.export({ type: "spki", format: "der" }).subarray(-32).toString("base64");
}

const categories = ["name", "picture", "rank"].map((name) => {
  const found = findCategory(name);
  if (!found.ok) throw new Error(`${name} is no category`);
  return found.category.id;
});

type Batch = { readonly recipient: string; readonly agreement: string; readonly jobs: number };

/** People, their cards, and a sealed order of them with an open run; what the rooms before this one would make. */
async function makeOrder(test: TestDesk, { recipient, agreement, jobs: count }: Batch) {
  const { pool, keyholder } = test.desk;
  const ids = () => Array.from({ length: count }, () => randomUUID());
  const [people, requests, cards, jobs] = [ids(), ids(), ids(), ids()];
  const [order, run, batch] = [randomUUID(), randomUUID(), randomUUID()];
  await keyholder.call("roots/create", { batchId: batch, persons: people });
  await keyholder.call("roots/confirm", { batchId: batch });
  const contexts = jobs.map((job) => toContext(test, { recipient, order, job, agreement }));
  const { wrapped } = await keyholder.call("jobs/wrap", {
    jobs: people.map((person, at) => ({
      person,
      context: contexts[at]?.toString("base64url") ?? "",
      key: randomBytes(32).toString("base64url"),
      facts: { cardKind: "warrant-card", categories, postSensitivity: "ordinary", rank: "Constable" },
    })),
  });
  const staff = test.as("production.lead").id;
  await pool.query("insert into import (id, state) values ($1, 'done')", [batch]);
  await pool.query(
    "insert into person (id, import_id, seen_import_id) select id, $2, $2 from unnest($1::uuid[]) as t(id)",
    [people, batch],
  );
  await pool.query(
    `insert into request (id, person_id, kind, state, route, requested_by)
     select id, person, 'warrant-card', 'ordered', 'bureau', $3 from unnest($1::uuid[], $2::uuid[]) as t(id, person)`,
    [requests, people, staff],
  );
  await pool.query(
    `insert into card (id, number, person_id, request_id, kind, validity, custody, expires_on)
     select id, id::text, person, request, 'warrant-card', 'inactive', 'bureau', '2035-01-01'
     from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as t(id, person, request)`,
    [cards, people, requests],
  );
  await pool.query(
    `insert into "order" (id, recipient, agreement_digest, state, created_by, created_at, expires_at, jobs)
     values ($1, $2, $3, 'sealed', $4, now(), now() + interval '1 day', $5)`,
    [order, recipient, Buffer.from(agreement, "hex"), staff, count],
  );
  await pool.query(
    `insert into job (id, order_id, recipient, card_id, person_id, record_version, state, context, wrapped)
     select id, $1, $2, card, person, 1, 'sealed', context, wrapped
     from unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::bytea[], $7::bytea[]) as t(id, card, person, context, wrapped)`,
    [order, recipient, jobs, cards, people, contexts, wrapped.map((key) => Buffer.from(key, "base64url"))],
  );
  await pool.query(
    `insert into run (id, recipient, order_id, state, opened_by, opened_at, until, jobs)
     values ($1, $2, $3, 'open', $4, now(), now() + interval '1 hour', $5)`,
    [run, recipient, order, staff, count],
  );
  await pool.query("insert into run_job (run_id, job_id) select $1, id from unnest($2::uuid[]) as t(id)", [run, jobs]);
  return { order, run, jobs };
}

function toContext(
  test: TestDesk,
  { recipient, order, job, agreement }: { recipient: string; order: string; job: string; agreement: string },
): Buffer {
  const { force } = test.desk;
  const digests = { agreementDigest: agreement, templateDigest: "00".repeat(32) };
  return Buffer.from(encodeJobContext({ force, recipient, order, job, categories, ...digests }));
}
