import { createHash } from "node:crypto";
import { type RawRequest, type Receipt, receiptSchema } from "@tipstaff/release-protocol";
import { parseJson } from "./asked-release.ts";

/** A receipt as it came and as it was read. */
export type AskedReceipt = {
  readonly raw: RawRequest;
  readonly receipt: Receipt;
  /** Hex; of what it says, not of how it was written. */
  readonly digest: string;
};

/** Reads the body of a signed request; undefined when it is no receipt of this signer. */
export function readAskedReceipt(signed: {
  raw: RawRequest;
  body: Buffer;
  recipient: string;
}): AskedReceipt | undefined {
  const parsed = receiptSchema.safeParse(parseJson(signed.body));
  if (!parsed.success || parsed.data.recipient !== signed.recipient) return undefined;
  const receipt = parsed.data;
  if ((receipt.result === "spoiled") !== (receipt.reason !== undefined)) return undefined;
  // The schema has put the keys into its own order.
  const digest = createHash("sha256").update(JSON.stringify(receipt)).digest("hex");
  return { raw: signed.raw, receipt, digest };
}
