import { LedgerError, openEvent } from "@tipstaff/ledger";
import { fromBase64url } from "../encoding.ts";

/** The event part of an entry; `undefined` where the openings are damaged, or not this operation's. */
export function readEvent(
  logKey: Uint8Array,
  { operationId, openings }: { readonly operationId: string; readonly openings: string },
): ReturnType<typeof openEvent> {
  try {
    return openEvent(fromBase64url(openings), fromBase64url(operationId), logKey);
  } catch (error) {
    if (error instanceof LedgerError) return undefined;
    throw error;
  }
}
