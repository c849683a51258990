import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type FileRules, fileRulesOf } from "../storage/file-rules.ts";
import type { LogReader } from "../storage/tile-storage.ts";
import { createZipOnce } from "./zip-once.ts";

export type ServeLogOptions = {
  /** The public files. Its openings lie elsewhere, and nothing here could name them. */
  readonly tiles: LogReader;
  /** What stands before every path, as "/log/": "/" when left out. */
  readonly prefix?: string;
  readonly onError?: (error: unknown) => void;
};

const RETRY_SECONDS = 1;

/**
 * Answers requests for a log's files, for `http.createServer`: GET and HEAD, caching, ETags, entry bundles gzipped where
 * the client takes it and it saves a tenth at least (C2SP tlog-tiles, "Log entries"). Each bundle is gzipped once, as long
 * as 32 MiB of memory hold it; tiles are hashes, and never are. Every path that is not exactly one of a log's is 404,
 * whatever lies in the folder.
 */
export const serveLog = ({ tiles, prefix = "/", onError }: ServeLogOptions) => {
  const zip = createZipOnce();
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      if (request.method !== "GET" && request.method !== "HEAD") {
        response.setHeader("allow", "GET, HEAD");
        return void refuse(response, 405, "Only GET and HEAD are answered here");
      }
      const path = request.url?.startsWith(prefix) ? request.url.slice(prefix.length).replace(/\?.*$/s, "") : "";
      const rules = fileRulesOf(path);
      const bytes = rules && (await tiles.read(path));
      if (rules === undefined || bytes === undefined) return void refuse(response, 404, "The log has no such file");
      await answer({ request, response, rules, bytes, zip });
    } catch (error) {
      onError?.(error);
      if (response.headersSent) return void response.destroy();
      response.setHeader("retry-after", String(RETRY_SECONDS));
      refuse(response, 503, "The log's storage does not answer");
    }
  };
};

type Answer = {
  request: IncomingMessage;
  response: ServerResponse;
  rules: FileRules;
  bytes: Uint8Array;
  zip: ReturnType<typeof createZipOnce>;
};

const answer = async ({ request, response, rules, bytes, zip }: Answer): Promise<void> => {
  const digest = createHash("sha256").update(bytes).digest("base64url");
  const mayZip = rules.kind === "entries" && takesGzip(request.headers["accept-encoding"]);
  const zipped = mayZip ? await zip(digest, bytes) : undefined;
  const etag = `"${digest}${zipped ? "-gzip" : ""}"`;
  response.setHeader("cache-control", rules.cacheControl);
  response.setHeader("etag", etag);
  response.setHeader("x-content-type-options", "nosniff");
  response.setHeader("access-control-allow-origin", "*");
  if (rules.kind === "entries") response.setHeader("vary", "accept-encoding");
  if (namesTag(request.headers["if-none-match"], etag)) return void response.writeHead(304).end();
  if (zipped) response.setHeader("content-encoding", "gzip");
  const body = zipped ?? bytes;
  response.writeHead(200, { "content-type": rules.contentType, "content-length": body.length });
  response.end(request.method === "HEAD" ? undefined : body);
};

/** Whether gzip, or else what is not named, has a weight above 0 (RFC 9110, section 12.5.3). */
const takesGzip = (header: string | string[] | undefined): boolean => {
  const items = String(header ?? "").split(",");
  const named = items.find((item) => /^\s*gzip\s*(;|$)/i.test(item)) ?? items.find((item) => /^\s*\*/.test(item));
  return /^\s*(gzip|\*)\s*(;\s*q=(1|1\.0*|0\.0{0,2}[1-9]\d*|0\.[1-9]\d*)\s*)?$/i.test(named ?? "");
};

const namesTag = (header: string | undefined, etag: string): boolean =>
  (header ?? "").split(",").some((item) => item.trim() === "*" || item.trim().replace(/^W\//, "") === etag);

/** RFC 9457. */
const refuse = (response: ServerResponse, status: number, title: string): void => {
  const body = Buffer.from(JSON.stringify({ type: "about:blank", status, title }));
  response.setHeader("cache-control", "no-store");
  response.writeHead(status, { "content-type": "application/problem+json", "content-length": body.length });
  response.end(response.req.method === "HEAD" ? undefined : body);
};
