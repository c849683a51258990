import { open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { isCategoryId, may } from "@tipstaff/agreement";
import { type OrderManifest, orderListSchema } from "@tipstaff/release-protocol";
import { JOB_BUCKETS } from "@tipstaff/sealing";
import type { z } from "zod";
import type { Bureau } from "../bureau.ts";
import { BureauError, type BureauErrorCode } from "../bureau-error.ts";
import { notAnswered } from "../desk/not-answered.ts";
import { askPatiently } from "../desk/patience.ts";
import { readOrderHead, verifyCiphertexts } from "./order-file.ts";

const PATIENCE_MS = 10_000;
/** More than any force has staff. */
const MOST_JOBS = 250_000;
const HEAD_BYTES = 64 * 1024;
/** An entry of the manifest is some 400 bytes, with the categories that it names. */
const MANIFEST_BYTES_PER_JOB = 4096;
const LARGEST_JOB_BYTES = Math.max(...JOB_BUCKETS) + 1024;

export type Fetched = {
  readonly fetched: readonly { readonly order: string; readonly jobs: number }[];
  readonly already: number;
};

/** Faults of one order, which say nothing of another. */
const OF_THE_ORDER: ReadonlySet<BureauErrorCode> = new Set<BureauErrorCode>(["damaged", "refused", "not-pinned"]);

/**
 * Fetches every order that is offered and not here yet, or not whole any more. Throws `unreachable`, `refused`,
 * `not-pinned` or `damaged`; an order that is refused keeps none of the others away.
 */
export async function fetchOrders(bureau: Bureau): Promise<Fetched> {
  const { desk, keys, store, orderFiles, log, signal } = bureau;
  const patience = { milliseconds: PATIENCE_MS, signal };
  const call = { method: "GET", path: "/v1/orders", key: keys.requests } as const;
  const listed = await askPatiently(() => desk.call(call, orderListSchema), patience);
  if (listed.kind !== "ok") throw notAnswered(listed);
  const missing = listed.value.orders.filter(({ order }) => {
    const record = store.order(order);
    return record === undefined || !orderFiles.isWhole(record);
  });
  const fetched: { order: string; jobs: number }[] = [];
  let fault: BureauError | undefined;
  for (const one of missing) {
    const { order } = one;
    try {
      fetched.push({ order, jobs: await fetchOrder(bureau, one) });
    } catch (cause) {
      if (!(cause instanceof BureauError) || !OF_THE_ORDER.has(cause.code)) throw cause;
      log.error({ order, code: cause.code, why: cause.message }, "order not taken");
      fault ??= new BureauError(cause.code, `Order ${order} is not taken. ${cause.message}`, { cause });
    }
  }
  if (fault !== undefined) throw fault;
  return { fetched, already: listed.value.orders.length - missing.length };
}

type ListedOrder = z.infer<typeof orderListSchema>["orders"][number];

/** Nothing may fill the disk before its signature can be checked: an order is as long as the jobs that the signed list names. */
function maxOrderBytes(jobs: number): number {
  if (jobs > MOST_JOBS) throw new BureauError("refused", `The desk lists an order of more than ${MOST_JOBS} jobs`);
  return HEAD_BYTES + jobs * (LARGEST_JOB_BYTES + MANIFEST_BYTES_PER_JOB);
}

const tooLong = (jobs: number): BureauError =>
  new BureauError("damaged", `The order file is longer than its ${jobs} jobs can be`);

/** The order file is kept as it is: ciphertext, useless without the keys that come one by one. */
async function fetchOrder(bureau: Bureau, { order, digest, jobs: listedJobs }: ListedOrder): Promise<number> {
  const { desk, keys, pins, place, store, orderFiles, now, signal } = bureau;
  const known = store.order(order);
  if (known !== undefined && known.digest !== digest) {
    throw new BureauError("damaged", "The desk offers another file under the id of an order that is here");
  }
  const maxBytes = maxOrderBytes(listedJobs);
  const name = `${order}.order`;
  const temporary = join(place.orders, `${name}.new`);
  const call = { method: "GET", path: `/v1/orders/${order}`, key: keys.requests } as const;
  const download = () =>
    askPatiently(
      async () => {
        await rm(temporary, { force: true });
        const got = await desk.download(call, { file: temporary, maxBytes });
        // Asking again would bring as much again.
        if (got.kind === "unreachable" && got.why === "answer-too-long") throw tooLong(listedJobs);
        return got;
      },
      { milliseconds: PATIENCE_MS, signal },
    );
  try {
    const answer = await download();
    if (answer.kind !== "ok") throw notAnswered(answer);
    if (Buffer.from(answer.value.sha256).toString("hex") !== digest) {
      throw new BureauError("damaged", "The order file is not the one that the desk's list names");
    }
    const file = await open(temporary, "r");
    try {
      const head = await readOrderHead(file, pins.force);
      assertExpected(bureau, head.manifest, order);
      await verifyCiphertexts(file, head);
      await rename(temporary, join(place.orders, name));
      const { agreement, force, expiresAt, jobs } = head.manifest;
      const record = { order, digest, agreement, force, file: name, dataOffset: head.dataOffset, expiresAt };
      if (known === undefined) await store.write(() => store.insertOrder(record, jobs, now().toISOString()));
      await orderFiles.replaced(record);
      bureau.log.info({ order, jobs: jobs.length }, "order fetched");
      return jobs.length;
    } finally {
      await file.close();
    }
  } finally {
    await rm(temporary, { force: true });
  }
}

/** The force may send only what both have signed for. */
function assertExpected(bureau: Bureau, manifest: OrderManifest, order: string): void {
  const { recipient } = bureau.settings;
  if (manifest.order !== order || manifest.recipient !== recipient) {
    throw new BureauError("damaged", "The order file is another order's, or for somebody else");
  }
  const pinned = bureau.pins.agreements.get(manifest.agreement);
  if (pinned === undefined)
    throw new BureauError("not-pinned", "The order is under an agreement that is not pinned here");
  const at = bureau.now();
  const allowed = new Set<string>();
  for (const category of new Set(manifest.jobs.flatMap(({ categories }) => categories))) {
    if (!isCategoryId(category)) continue;
    // Whose data a job holds is not the bureau's to know: the force checks the subjects.
    const answer = may({ agreement: pinned.agreement, recipient, category, subject: "unknown", at });
    if (answer.ok) allowed.add(category);
  }
  const isOver = manifest.jobs.some(({ categories }) => categories.some((category) => !allowed.has(category)));
  if (isOver)
    throw new BureauError("refused", "The order holds a category that the agreement does not allow us to hold");
}
