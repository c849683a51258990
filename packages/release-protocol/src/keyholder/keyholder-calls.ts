import type { z } from "zod";
import { ledgerCalls } from "./ledger-calls.ts";
import { registerCalls } from "./register-calls.ts";
import { releaseCalls } from "./release-calls.ts";
import { statusCall } from "./status-call.ts";

/**
 * What the keyholder answers on its socket: one POST route each, JSON in and out. `facts/open` and nothing else returns
 * facts about people, and then under pseudonyms; `history/keys` returns what opens one person's entries.
 */
export const keyholderCalls = {
  ...registerCalls,
  ...ledgerCalls,
  ...releaseCalls,
  status: statusCall,
} as const;

export type KeyholderCall = keyof typeof keyholderCalls;
export type KeyholderRequest<C extends KeyholderCall> = z.infer<(typeof keyholderCalls)[C]["request"]>;
export type KeyholderResponse<C extends KeyholderCall> = z.infer<(typeof keyholderCalls)[C]["response"]>;
