import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { crc32 } from "node:zlib";

/** What a test wants of the next request that fits: `status` instead of an answer, or an answer that goes wrong. */
type Fault = {
  readonly on: string;
  readonly do: { status: number; code: string } | "lose-answer" | "truncate" | "stall" | "claim-huge";
  times: number;
};

type Exchange = { request: IncomingMessage; response: ServerResponse; body: Buffer; key: string };

const BUCKET = "/log-bucket";
const MAX_KEYS = 1000;

/**
 * The part of S3's REST API that a log needs, in memory: PUT with conditions, GET, list, multi-delete. Whatever else is
 * asked, or asked unsigned or with a wrong checksum, is kept in `unexpected` and answered 500.
 */
export const startS3Server = async () => {
  const objects = new Map<string, { body: Buffer; headers: Record<string, string> }>();
  const faults: Fault[] = [];
  const unexpected: string[] = [];
  const seen: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      const url = new URL(request.url ?? "", "http://s3");
      const key = decodeURIComponent(url.pathname.slice(BUCKET.length + 1));
      const exchange = { request, response, body: Buffer.concat(chunks), key };
      const line = `${request.method} ${key}`;
      seen.push(line);
      try {
        assertSigned(exchange, url);
        const at = faults.findIndex(({ on, times }) => times > 0 && line.startsWith(on));
        handle({ exchange, url, objects, fault: at < 0 ? undefined : spend(faults, at) });
      } catch (error) {
        unexpected.push(`${line}: ${error}`);
        response.writeHead(500).end();
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    bucket: BUCKET.slice(1),
    objects,
    unexpected,
    seen,
    fail: (on: string, what: Fault["do"], times = 1) => faults.push({ on, do: what, times }),
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
};

const spend = (faults: Fault[], at: number): Fault | undefined => {
  const fault = faults[at];
  if (fault) fault.times--;
  return fault;
};

const assertSigned = ({ request: { headers, method }, body }: Exchange, url: URL): void => {
  if (!url.pathname.startsWith(BUCKET)) throw new Error("another bucket");
  if (!/^AWS4-HMAC-SHA256 Credential=test-key\//.test(headers.authorization ?? "")) throw new Error("unsigned");
  const hash = createHash("sha256").update(body).digest("hex");
  if (headers["x-amz-content-sha256"] !== hash) throw new Error("the body is not the one that was signed");
  const sum = headers["x-amz-checksum-crc32"];
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(body));
  if (method !== "GET" && sum !== bytes.toString("base64")) throw new Error("no checksum, or a wrong one");
};

type Work = {
  exchange: Exchange;
  url: URL;
  objects: Map<string, { body: Buffer; headers: Record<string, string> }>;
  fault: Fault | undefined;
};

const handle = (work: Work): void => {
  const { exchange, url, fault } = work;
  if (typeof fault?.do === "object") return void sendError(exchange, fault.do);
  if (exchange.request.method === "PUT" && url.searchParams.get("x-id") === "PutObject") return void put(work);
  if (exchange.request.method === "GET" && url.searchParams.get("list-type") === "2") return void list(work);
  if (exchange.request.method === "GET" && url.searchParams.get("x-id") === "GetObject") return void get(work);
  if (exchange.request.method === "POST" && url.searchParams.has("delete")) return void remove(work);
  throw new Error(`no such operation: ${url.search}`);
};

const sendError = ({ response }: Exchange, { status, code }: { status: number; code: string }): void => {
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;
  response.writeHead(status, { "content-type": "application/xml" }).end(body);
};

const etagOf = (body: Buffer): string => `"${createHash("md5").update(body).digest("hex")}"`;

const put = ({ exchange, objects, fault }: Work): void => {
  const { key, body, request, response } = exchange;
  const found = objects.get(key);
  const { "if-none-match": ifNone, "if-match": ifMatch } = request.headers;
  if ((ifNone === undefined) === (ifMatch === undefined)) throw new Error("a PUT without exactly one condition");
  if (ifNone !== undefined && ifNone !== "*") throw new Error("S3 knows If-None-Match: * alone");
  if (ifMatch !== undefined && !found) return void sendError(exchange, { status: 404, code: "NoSuchKey" });
  const holds = ifMatch === undefined ? !found : found && etagOf(found.body) === ifMatch;
  if (!holds) return void sendError(exchange, { status: 412, code: "PreconditionFailed" });
  const { "content-type": type = "", "cache-control": cache = "" } = request.headers;
  objects.set(key, { body, headers: { "content-type": type, "cache-control": cache } });
  if (fault?.do === "lose-answer") return void response.destroy();
  response.writeHead(200, { etag: etagOf(body) }).end();
};

const get = ({ exchange, objects, fault }: Work): void => {
  const { key, response } = exchange;
  const found = objects.get(key);
  if (!found) return void sendError(exchange, { status: 404, code: "NoSuchKey" });
  if (fault?.do === "stall") return;
  const length = fault?.do === "claim-huge" ? 10 ** 9 : found.body.length;
  response.writeHead(200, { ...found.headers, etag: etagOf(found.body), "content-length": length });
  if (fault?.do !== "truncate" && fault?.do !== "claim-huge") return void response.end(found.body);
  response.write(found.body.subarray(0, Math.floor(found.body.length / 2)));
  if (fault.do === "truncate") setTimeout(() => response.destroy(), 20);
};

const list = ({ exchange, url, objects }: Work): void => {
  const prefix = url.searchParams.get("prefix") ?? "";
  const keys = [...objects.keys()].filter((key) => key.startsWith(prefix)).slice(0, MAX_KEYS);
  const rows = keys.map((key) => `<Contents><Key>${key}</Key></Contents>`).join("");
  const body = `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><KeyCount>${keys.length}</KeyCount>${rows}</ListBucketResult>`;
  exchange.response.writeHead(200, { "content-type": "application/xml" }).end(body);
};

const remove = ({ exchange, objects }: Work): void => {
  const keys = [...exchange.body.toString().matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = ""]) => key);
  if (keys.length === 0) throw new Error("a deletion of nothing");
  for (const key of keys) objects.delete(key);
  const body = '<?xml version="1.0" encoding="UTF-8"?><DeleteResult></DeleteResult>';
  exchange.response.writeHead(200, { "content-type": "application/xml" }).end(body);
};
