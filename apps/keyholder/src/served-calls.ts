import type { KeyholderRequest } from "@tipstaff/release-protocol";
import { type ConsoleCall, consoleCalls, type KeyholderCall, keyholderCalls } from "@tipstaff/release-protocol";
import type { z } from "zod";
import { consoleHandlers, keyholderHandlers } from "./calls.ts";
import type { ConsoleRequest } from "./console-types.ts";
import type { Keyholder } from "./keyholder.ts";
import { parseRequest, type ServedCall } from "./server/call-server.ts";

const keyholderRequests: { readonly [C in KeyholderCall]: { readonly request: z.ZodType<KeyholderRequest<C>> } } =
  keyholderCalls;
const consoleRequests: { readonly [C in ConsoleCall]: { readonly request: z.ZodType<ConsoleRequest<C>> } } =
  consoleCalls;

const isKeyholderCall = (name: string): name is KeyholderCall => Object.hasOwn(keyholderCalls, name);
const isConsoleCall = (name: string): name is ConsoleCall => Object.hasOwn(consoleCalls, name);

export const serveKeyholderCalls = (keyholder: Keyholder): ServedCall[] =>
  Object.keys(keyholderCalls)
    .filter(isKeyholderCall)
    .map((name) => serveKeyholderCall(keyholder, name));

export const serveConsoleCalls = (keyholder: Keyholder): ServedCall[] =>
  Object.keys(consoleCalls)
    .filter(isConsoleCall)
    .map((name) => serveConsoleCall(keyholder, name));

function serveKeyholderCall<C extends KeyholderCall>(keyholder: Keyholder, name: C): ServedCall {
  const { request } = keyholderRequests[name];
  return { name, answer: (body) => keyholderHandlers[name](keyholder, parseRequest(request, body)) };
}

function serveConsoleCall<C extends ConsoleCall>(keyholder: Keyholder, name: C): ServedCall {
  const { request } = consoleRequests[name];
  return { name, answer: (body) => consoleHandlers[name](keyholder, parseRequest(request, body)) };
}
