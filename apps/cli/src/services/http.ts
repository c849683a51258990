import { request } from "node:http";
import { z } from "zod";
import { CliError, START_IT } from "../cli-error.ts";

const problemSchema = z.looseObject({
  title: z.string().optional(),
  code: z.string().optional(),
  detail: z.string().optional(),
  advice: z.string().optional(),
});

/** What goes wrong after a long answer has begun is told in a line of its own. */
const lateProblemSchema = z.looseObject({ problem: problemSchema.extend({ status: z.int() }) });

export type Api = {
  /** The JSON value, or the text where the answer is text (CSV). */
  get: (path: string) => Promise<unknown>;
  post: (path: string, body: unknown) => Promise<unknown>;
  /** A long answer, one JSON value a line; each is handed over as it arrives, and the last one returned. */
  stream: (path: string, body: unknown, onLine: (value: unknown) => void) => Promise<unknown>;
};

type Target = { port: number } | { socketPath: string };

/** A client of one of our JSON APIs: the desk's staff API, the bureau's, the keyholder's console. */
export function connectApi(name: string, target: Target, token?: string): Api {
  const call = (method: string, path: string, body: unknown, onLine?: (value: unknown) => void) =>
    exchange({ name, target, token, method, path, body, onLine });
  return {
    get: (path) => call("GET", path, undefined),
    post: (path, body) => call("POST", path, body),
    stream: (path, body, onLine) => call("POST", path, body, onLine),
  };
}

type Exchange = {
  name: string;
  target: Target;
  token: string | undefined;
  method: string;
  path: string;
  body: unknown;
  onLine: ((value: unknown) => void) | undefined;
};

async function exchange({ name, target, token, method, path, body, onLine }: Exchange): Promise<unknown> {
  const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  const headers: Record<string, string | number> = { accept: "application/json" };
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  if (payload) Object.assign(headers, { "content-type": "application/json", "content-length": payload.length });
  const where = "port" in target ? { host: "127.0.0.1", port: target.port } : { socketPath: target.socketPath };
  return new Promise((resolve, reject) => {
    const sent = request({ ...where, method, path, headers }, (response) => {
      const lines: string[] = [];
      let rest = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        rest += chunk;
        if (!onLine || (response.statusCode ?? 500) >= 400) return;
        const parts = rest.split("\n");
        rest = parts.pop() ?? "";
        for (const line of parts.filter((part) => part.trim() !== "")) {
          lines[0] = line;
          const value = parseJson(line);
          const late = lateProblemSchema.safeParse(value);
          if (late.success) reject(refusal(name, late.data.problem.status, late.data.problem));
          else onLine(value);
        }
      });
      response.once("error", (error) => reject(unreachable(name, error)));
      response.once("end", () => {
        const text = rest.trim() === "" ? (lines[0] ?? "null") : rest;
        const isText = (response.headers["content-type"] ?? "").startsWith("text/");
        const value = isText ? text : parseJson(text);
        if ((response.statusCode ?? 500) < 400) resolve(value);
        else reject(refusal(name, response.statusCode ?? 500, value));
      });
    });
    sent.once("error", (error) => reject(unreachable(name, error)));
    sent.end(payload);
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

function unreachable(name: string, error: Error): CliError {
  return new CliError("not-running", `The ${name} does not answer (${error.message}).`, START_IT);
}

/** What the caller got wrong could not run at all; what a rule says no to is a refusal. */
const codeOf = (status: number) => (status >= 500 ? "failed" : status === 400 ? "bad-input" : "refused");
const ADVICE = { failed: "Read its log.", "bad-input": "Nothing was changed.", refused: "Nothing was changed." };

function refusal(name: string, status: number, value: unknown): CliError {
  const problem = problemSchema.safeParse(value);
  const { title, detail, code, advice } = problem.success ? problem.data : {};
  const told = [title, detail].filter(Boolean).join(": ");
  const kind = codeOf(status);
  const words = `The ${name} answered ${status}${code ? ` [${code}]` : ""}. ${told}`.trim();
  return new CliError(kind, words, advice ?? ADVICE[kind]);
}
