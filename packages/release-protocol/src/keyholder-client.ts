import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import { z } from "zod";
import {
  type KeyholderCall,
  type KeyholderRequest,
  type KeyholderResponse,
  keyholderCalls,
} from "./keyholder/keyholder-calls.ts";

const DEFAULT_TIMEOUT_MS = 30_000;
/** Largest answer that is read, in bytes. */
const MAX_ANSWER_BYTES = 128 * 1024 * 1024;

/**
 * `keyholder-unreachable`: nobody listens, or the connection broke; it may or may not have been done, ask again.
 * `keyholder-timeout`: as before, but it was there. `keyholder-refused`: it answered no; `reason` is its own code.
 * `keyholder-answer`: what came back is no answer to this call.
 */
export type KeyholderErrorCode =
  | "keyholder-unreachable"
  | "keyholder-timeout"
  | "keyholder-refused"
  | "keyholder-answer";

/** The one error of the keyholder's client. Neither its message nor its fields hold personal data or keys. */
export class KeyholderError extends Error {
  readonly code: KeyholderErrorCode;
  /** The keyholder's own refusal code where it refused, else "". */
  readonly reason: string;

  constructor(code: KeyholderErrorCode, message: string, options: ErrorOptions & { reason?: string } = {}) {
    super(message, options);
    this.name = "KeyholderError";
    this.code = code;
    this.reason = options.reason ?? "";
  }
}

export type KeyholderClient = {
  /**
   * Asks one question and validates the answer. A connection that went stale between two calls is opened anew once, so
   * that a call may reach the keyholder twice. Throws KeyholderError and nothing else.
   */
  readonly call: <C extends KeyholderCall>(name: C, request: KeyholderRequest<C>) => Promise<KeyholderResponse<C>>;
  /** Closes idle connections. */
  readonly close: () => void;
};

const answers: { readonly [C in KeyholderCall]: { readonly response: z.ZodType<KeyholderResponse<C>> } } =
  keyholderCalls;
const problemSchema = z.looseObject({ code: z.string().max(64), detail: z.string().max(2000).optional() });

/** A client of the keyholder's Unix socket, with kept-alive connections; `timeoutMs` of silence ends a call. */
export function createKeyholderClient(options: { socketPath: string; timeoutMs?: number }): KeyholderClient {
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const door: Door = { socketPath: options.socketPath, timeoutMs, agent };
  return {
    call: async (name, request) => {
      const { status, body } = await post(door, name, JSON.stringify(request));
      const json = parseJson(name, body);
      if (status !== 200) throw refusal(name, status, json);
      const parsed = answers[name].response.safeParse(json);
      if (parsed.success) return parsed.data;
      const places = parsed.error.issues.slice(0, 3).map((issue) => issue.path.join("."));
      throw new KeyholderError(
        "keyholder-answer",
        `The answer to ${name} does not fit its schema: ${places.join(", ")}`,
      );
    },
    close: () => agent.destroy(),
  };
}

type Door = { socketPath: string; timeoutMs: number; agent: Agent };
type Answer = { status: number; body: string };

async function post(door: Door, name: string, body: string): Promise<Answer> {
  const first = await attempt(door, name, body);
  if (!("stale" in first)) return first;
  const second = await attempt(door, name, body);
  if (!("stale" in second)) return second;
  throw unreachable(name, second.stale);
}

/** One exchange; `stale` when a kept-alive connection turned out to be closed. */
function attempt(door: Door, name: string, body: string): Promise<Answer | { stale: Error }> {
  return new Promise((resolve, reject) => {
    const payload = Buffer.from(body, "utf8");
    const outgoing = httpRequest(
      {
        socketPath: door.socketPath,
        agent: door.agent,
        method: "POST",
        path: `/${name}`,
        timeout: door.timeoutMs,
        headers: { "content-type": "application/json", "content-length": payload.length },
      },
      (incoming) => readAnswer(name, incoming).then(resolve, reject),
    );
    outgoing.once("timeout", () => {
      const words = `The keyholder was silent for ${door.timeoutMs} ms during ${name}`;
      outgoing.destroy(new KeyholderError("keyholder-timeout", words));
    });
    outgoing.once("error", (cause: NodeJS.ErrnoException) => {
      const stale = outgoing.reusedSocket && (cause.code === "ECONNRESET" || cause.code === "EPIPE");
      if (stale) resolve({ stale: cause });
      else reject(cause instanceof KeyholderError ? cause : unreachable(name, cause));
    });
    outgoing.end(payload);
  });
}

async function readAnswer(name: string, incoming: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of incoming) {
      const bytes = Buffer.from(chunk);
      length += bytes.length;
      if (length > MAX_ANSWER_BYTES) throw new KeyholderError("keyholder-answer", `The answer to ${name} is too long`);
      chunks.push(bytes);
    }
  } catch (cause) {
    if (cause instanceof KeyholderError) throw cause;
    throw unreachable(name, cause);
  }
  return { status: incoming.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") };
}

function unreachable(name: string, cause: unknown): KeyholderError {
  return new KeyholderError("keyholder-unreachable", `The keyholder could not be reached for ${name}`, { cause });
}

function refusal(name: string, status: number, json: unknown): KeyholderError {
  const problem = problemSchema.safeParse(json);
  if (!problem.success) return new KeyholderError("keyholder-answer", `${name} was answered with status ${status}`);
  const { code, detail } = problem.data;
  const words = `The keyholder refused ${name}: ${code}${detail === undefined ? "" : ` (${detail})`}`;
  return new KeyholderError("keyholder-refused", words, { reason: code });
}

function parseJson(name: string, body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new KeyholderError("keyholder-answer", `The answer to ${name} is not JSON`, { cause });
  }
}
