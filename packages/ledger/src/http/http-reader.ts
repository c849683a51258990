import { concat } from "../bytes.ts";
import { LedgerError } from "../error.ts";
import { fileRulesOf } from "../storage/file-rules.ts";
import type { LogReader } from "../storage/tile-storage.ts";

/** How a log is fetched. */
export type HttpReaderOptions = {
  /** The platform's own when left out. */
  readonly fetch?: typeof fetch;
  /** Longest wait for one file, in milliseconds, body included: 10,000 when left out. */
  readonly timeoutMs?: number;
  /** Largest file that is read, in bytes, if below what its kind may have. */
  readonly maxBytes?: number;
  /** Further tries after a fault of the network or an answer of 429 or 5xx: 2 when left out. */
  readonly retries?: number;
};

const MAX_REDIRECTS = 3;
const PAUSE_MS = 200;

/**
 * Reads a log over HTTP below a URL prefix (C2SP tlog-tiles, "APIs"). Nothing is believed for having come from there: that
 * is for the verifier. Redirects within the same scheme, host and port are followed; an answer longer than such a file can be is
 * given up. 404 and 410 read as `undefined`; every other failure rejects with `storage-failed`. Throws `path-malformed`.
 */
export const createHttpReader = (url: string, options: HttpReaderOptions = {}): LogReader => {
  const base = parseBase(url);
  return {
    read: async (path) => {
      const rules = fileRulesOf(path);
      if (rules === undefined) throw new LedgerError("path-malformed", "that is no path of a log's public file");
      const maxBytes = Math.min(rules.maxBytes, options.maxBytes ?? rules.maxBytes);
      const attempt = () => fetchFile(new URL(path, base), { ...options, path, maxBytes });
      for (let left = options.retries ?? 2; ; left--) {
        try {
          return await attempt();
        } catch (error) {
          if (!(error instanceof Passing)) throw error;
          if (left <= 0) throw failed(path, error.message, error.cause);
        }
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    },
  };
};

const parseBase = (text: string): URL => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const fits = url && /^https?:$/.test(url.protocol) && url.search === "" && url.hash === "" && url.username === "";
  if (!fits) throw new LedgerError("path-malformed", "a log's URL is http(s), without user, query and fragment");
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url;
};

/** A fault that another try may not meet. */
class Passing extends Error {}

const failed = (path: string, why: string, cause?: unknown): LedgerError =>
  new LedgerError("storage-failed", `${path} cannot be read over HTTP: ${why}`, { cause });

type Fetching = HttpReaderOptions & { readonly path: string; readonly maxBytes: number };

const fetchFile = async (url: URL, options: Fetching): Promise<Uint8Array | undefined> => {
  const signal = AbortSignal.timeout(options.timeoutMs ?? 10_000);
  try {
    const response = await follow(url, { ...options, signal });
    if (response.status === 200) return await readBody(response, options);
    await response.body?.cancel();
    if (response.status === 404 || response.status === 410) return undefined;
    if (response.status === 429 || response.status >= 500) throw new Passing(`the answer was ${response.status}`);
    throw failed(options.path, `the answer was ${response.status}`);
  } catch (error) {
    if (error instanceof LedgerError || error instanceof Passing) throw error;
    throw new Passing(signal.aborted ? "it took too long" : "the connection failed", { cause: error });
  }
};

const follow = async (
  start: URL,
  { signal, path, ...options }: Fetching & { signal: AbortSignal },
): Promise<Response> => {
  const get = options.fetch ?? fetch;
  let url = start;
  for (let steps = 0; steps <= MAX_REDIRECTS; steps++) {
    const response = await get(url.href, { redirect: "manual", signal, headers: { accept: "*/*" } });
    // A browser hides where a redirect goes: there it is refused.
    const hidden = response.type === "opaqueredirect";
    if (!hidden && (response.status < 300 || response.status > 399)) return response;
    await response.body?.cancel();
    const location = response.headers.get("location");
    if (hidden || location === null || !URL.canParse(location, url.href))
      throw failed(path, "it is redirected to nowhere known");
    const next = new URL(location, url);
    if (next.origin !== start.origin) throw failed(path, "it is redirected to another host");
    url = next;
  }
  throw failed(path, "it is redirected again and again");
};

const readBody = async (response: Response, { path, maxBytes }: Fetching): Promise<Uint8Array> => {
  const reader = response.body?.getReader();
  if (reader === undefined) return new Uint8Array(0);
  const parts: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return concat(parts);
    length += value.length;
    if (length > maxBytes) {
      await reader.cancel();
      throw failed(path, `it is longer than ${maxBytes} bytes`);
    }
    parts.push(value);
  }
};
