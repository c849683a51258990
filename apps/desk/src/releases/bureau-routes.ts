import { chainStart } from "@tipstaff/release-protocol";
import type { FastifyInstance } from "fastify";
import type { Desk } from "../desk.ts";
import { createAgreementsInUse } from "./agreements-in-use.ts";
import { readAskedReceipt } from "./asked-receipt.ts";
import { readAskedRelease } from "./asked-release.ts";
import { createBatcher } from "./batcher.ts";
import { createReceiptWriter } from "./receipt-writer.ts";
import { createReleaseWriter } from "./release-writer.ts";
import { findUnusedRestart } from "./restart-line.ts";
import { settleCounters } from "./settle-counters.ts";
import { registerSigned, type SignedAnswer } from "./signed-routes.ts";

const LINE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** The bureau's routes of this room: releases, receipts, and a line's chain value. */
export function registerReleaseBureauRoutes(app: FastifyInstance, desk: Desk): void {
  const agreements = createAgreementsInUse(desk.pool);
  // Those who ask while the keyholder is being told share the next telling.
  const telling = createBatcher({
    max: Number.MAX_SAFE_INTEGER,
    work: async (asked: readonly undefined[]) => {
      await settleCounters(desk);
      return asked;
    },
  });
  const settle = () => telling(undefined);
  const releases = createReleaseWriter(desk, { agreements, settle });
  const receipts = createReceiptWriter(desk, { counted: settle, isBusy: releases.isBusy });
  registerSigned(app, desk, [
    {
      method: "POST",
      url: "/v1/releases",
      use: "requests",
      handle: async (signed) => {
        const asked = readAskedRelease(signed);
        return asked === undefined ? MALFORMED : releases.ask(asked);
      },
    },
    {
      method: "POST",
      url: "/v1/receipts",
      use: "receipts",
      handle: async (signed) => {
        const asked = readAskedReceipt(signed);
        return asked === undefined ? MALFORMED : receipts.accept(asked);
      },
    },
    {
      method: "GET",
      url: "/v1/lines/:line",
      use: "requests",
      handle: async ({ recipient, params }) => {
        const line = params.line ?? "";
        return LINE.test(line) ? { json: await readLine(desk, recipient, line) } : MALFORMED;
      },
    },
  ]);
}

const MALFORMED: SignedAnswer = { refusal: "malformed" };

async function readLine({ pool }: Desk, recipient: string, line: string) {
  const { rows } = await pool.query<{ chain: Buffer }>("select chain from line where recipient = $1 and line = $2", [
    recipient,
    line,
  ]);
  const used = rows[0]?.chain;
  const chain = Buffer.from(used ?? chainStart(recipient, line)).toString("hex");
  const restart = used === undefined ? undefined : await findUnusedRestart(pool, { recipient, line, chain: used });
  return { line, chain, ...(restart === undefined ? {} : { restart }) };
}
