import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { makeOrder } from "../../apps/cli/src/demo/main-job.ts";
import { consoleApi } from "../../apps/cli/src/services/installation.ts";
import { runApp } from "../../apps/cli/src/services/processes.ts";
import { tipstaff } from "./command-line.ts";
import { hostileBureau, releaseRequest, strangersKey, type WireAnswer } from "./hostile-bureau.ts";
import { type LiveForce, liveForce } from "./live-force.ts";

const PEOPLE = 40;

let force: LiveForce;
let order: { order: string; jobs: number };
let hostile: ReturnType<typeof hostileBureau>;
let run: string;

beforeAll(async () => {
  force = await liveForce({ people: PEOPLE, seed: "bad input" });
  order = await makeOrder(force.stage);
  hostile = hostileBureau(force.home, force.settings);
  const opened = await force.as("production.lead").post("/api/runs", { order: order.order, untilMinutes: 60 });
  run = z.looseObject({ run: z.string() }).parse(opened).run;
}, 120_000);
afterAll(() => force?.stop());

describe("a request to the force's release routes", () => {
  const problem = (answer: WireAnswer) => {
    expect(answer.type).toMatch(/^application\/problem\+json/);
    return { status: answer.status, code: answer.code };
  };

  test("is answered, signed, when it is in order", async () => {
    const answer = await hostile.send(hostile.signed("GET", "/v1/runs"));
    expect(answer).toMatchObject({ status: 200, signed: true });
  });

  test("is refused when it is replayed", async () => {
    const request = hostile.signed("GET", "/v1/runs");
    expect((await hostile.send(request)).status).toBe(200);
    expect(problem(await hostile.send(request))).toEqual({ status: 409, code: "replayed" });
  });

  test("is refused when it bears no signature", async () => {
    const { headers: _, ...bare } = hostile.signed("GET", "/v1/runs");
    expect(problem(await hostile.send({ ...bare, headers: {} }))).toEqual({ status: 401, code: "unsigned" });
  });

  test("is refused when a stranger signed it, under a name of their own or under the bureau's", async () => {
    const key = strangersKey();
    const own = await hostile.send(hostile.signed("GET", "/v1/runs", undefined, { key, keyid: "stranger" }));
    expect(problem(own)).toEqual({ status: 403, code: "unknown-key" });
    const forged = await hostile.send(hostile.signed("GET", "/v1/runs", undefined, { key }));
    expect(problem(forged)).toEqual({ status: 401, code: "bad-signature" });
  });

  test("is refused when the key is the bureau's, but for another use", async () => {
    const signing = { key: hostile.keyOf("receipts"), keyid: `${force.settings.recipient}-receipts` };
    const answer = await hostile.send(hostile.signed("GET", "/v1/runs", undefined, signing));
    expect(problem(answer)).toEqual({ status: 403, code: "unknown-key" });
  });

  test("is refused when its clock is off by ten minutes, either way", async () => {
    for (const clockOff of [-600, 600]) {
      const answer = await hostile.send(hostile.signed("GET", "/v1/runs", undefined, { clockOff }));
      expect(problem(answer)).toEqual({ status: 401, code: "stale" });
    }
  });

  test("is refused when it signs less than the protocol asks for", async () => {
    for (const part of ['"@method" ', ' "content-digest"', ';tag="tipstaff-request/1"', ';alg="ed25519"']) {
      const request = hostile.signed("GET", "/v1/runs");
      const input = request.headers["signature-input"] ?? "";
      expect(input).toContain(part);
      const headers = { ...request.headers, "signature-input": input.replace(part, "") };
      expect(problem(await hostile.send({ ...request, headers }))).toEqual({ status: 400, code: "malformed" });
    }
  });

  test("is refused when body, path or method is another than was signed", async () => {
    const request = hostile.signed("POST", "/v1/releases", releaseRequest(force.settings, {}));
    const changed = [
      { ...request, body: JSON.stringify(releaseRequest(force.settings, {})) },
      { ...request, path: "/v1/releases?x=1" },
    ];
    for (const one of changed) {
      expect(problem(await hostile.send(one))).toEqual({ status: 401, code: "bad-signature" });
    }
    const get = hostile.signed("GET", "/v1/runs");
    expect(problem(await hostile.send({ ...get, path: `/v1/runs/${run}` }))).toEqual({
      status: 401,
      code: "bad-signature",
    });
  });

  test.each([
    { what: "no JSON", body: "{" },
    { what: "an empty object", body: {} },
    { what: "a field too many", body: { extra: 1 } },
    { what: "another recipient's name", body: { recipient: "somebody-else" } },
    { what: "a one-time key that is too short", body: { key: "AAAA" } },
    { what: "a negative attempt", body: { attempt: -1 } },
  ])("is refused as malformed: $what", async ({ body }) => {
    const isWhole = typeof body === "string" || Object.keys(body).length === 0;
    const content = isWhole ? body : { ...releaseRequest(force.settings, {}), ...body };
    const answer = await hostile.send(hostile.signed("POST", "/v1/releases", content));
    expect(problem(answer)).toEqual({ status: 400, code: "malformed" });
  });

  test("is refused for a job or a run that does not exist", async () => {
    const answer = await hostile.send(hostile.signed("POST", "/v1/releases", releaseRequest(force.settings, {})));
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect(answer.signed).toBe(true);
  });

  test("that was refused moved nothing: no release, no hold, no counter", async () => {
    expect(await force.count("release")).toBe(0);
    expect(await force.count("hold")).toBe(0);
    expect(await force.count("recipient_state where unaccounted <> 0")).toBe(0);
  });

  test("of staff without a token, or with a wrong one, is a 401 with a problem", async () => {
    for (const headers of [{}, { authorization: "Bearer wrong" }, { authorization: "Basic YTpi" }]) {
      const answer = await hostile.send({ method: "GET", path: "/api/holds", headers });
      expect(problem(answer).status).toBe(401);
    }
    expect(problem(await hostile.send({ method: "GET", path: "/nowhere", headers: {} })).status).toBe(404);
  });
});

describe("the order of a person whose record changed", () => {
  test("is refused `withdrawn`, and nothing says why", async () => {
    const changed = join(force.home.root, "changed.csv");
    const text = readFileSync(join(force.stage.extractFolder, "extract.csv"), "utf8");
    const [header = "", ...rows] = text.split("\r\n");
    const column = header.split(",").indexOf("Unit");
    expect(column).toBeGreaterThan(0);
    const moved = rows.map((row, at) => (at < PEOPLE / 2 ? replaceCell(row, column, "Elsewhere") : row));
    writeFileSync(changed, [header, ...moved].join("\r\n"));
    const args = [
      "import",
      changed,
      "--photos",
      join(force.stage.extractFolder, "photos"),
      "--config",
      force.home.deskConfig,
    ];
    const { code, stdout } = await runApp("desk", [...args, "--json"]);
    expect(code).toBeLessThan(2);
    const report = z.looseObject({ changed: z.int(), jobsWithdrawn: z.int() }).parse(JSON.parse(stdout));
    expect(report.jobsWithdrawn).toBeGreaterThan(0);

    const [job] = await force.query(
      `select job.id, encode(agreement_digest, 'hex') agreement
       from job join "order" o on o.id = order_id where job.state = 'cancelled' limit 1`,
    );
    const line = "line-01";
    const { body } = await hostile.send(hostile.signed("GET", `/v1/lines/${line}`));
    const { chain } = z.looseObject({ chain: z.string() }).parse(body);
    const asked = { job: job?.id, agreement: job?.agreement, order: order.order, run, line, previous: chain };
    const answer = await hostile.send(hostile.signed("POST", "/v1/releases", releaseRequest(force.settings, asked)));
    expect(answer).toMatchObject({ status: 410, code: "withdrawn", signed: true });
    expect(Object.keys(z.record(z.string(), z.unknown()).parse(answer.body)).sort()).toEqual(
      ["code", "status", "title", "type"].sort(),
    );
    expect(await force.count("release")).toBe(0);
  });
});

describe("an agreement", () => {
  const file = () => join(force.home.agreements, `${force.settings.recipient}.yaml`);
  const bytesOf = (text: string) => Buffer.from(text).toString("base64url");
  const activate = (bytes: string, signatures: string) =>
    force.as("security.one").post("/api/agreements/activate", { bytes, signatures });

  test("is neither pinned nor activated unsigned, with one signature, or with a stranger's", async () => {
    const text = readFileSync(file(), "utf8").replace("version: 1", "version: 2");
    const [forceLine = "", recipientLine = ""] = readFileSync(`${file()}.sig`, "utf8").trim().split("\n");
    const bytes = bytesOf(text);
    for (const signatures of ["", `${forceLine}\n`, `${recipientLine}\n`, `${forceLine}\n${recipientLine}\n`]) {
      const pinned = consoleApi(force.home).post("/agreements/pin", { bytes, signatures });
      expect(await pinned.then((answer) => z.looseObject({ ok: z.boolean() }).parse(answer).ok)).toBe(false);
      await expect(activate(bytes, signatures)).rejects.toThrow(/answered 4\d\d/);
    }
  });

  test("of the keyholder's pin is needed although both parties signed", async () => {
    const { bytes, signatures } = await signedByBoth((text) => text.replace("version: 1", "version: 2"));
    await expect(activate(bytes, signatures)).rejects.toThrow(/not-pinned/);
  });

  test("with keys that are not the bureau's is not signed by the bureau", async () => {
    const stranger = Buffer.alloc(32, 7).toString("base64");
    const text = readFileSync(file(), "utf8").replace(/publicKey: .*$/m, `publicKey: ${stranger}`);
    const changed = join(force.home.root, "wrong-key.yaml");
    writeFileSync(changed, text);
    const { code, stderr } = await runApp("bureau", ["sign-agreement", changed, "--folder", force.home.bureau]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/not this bureau's keys/);
  });

  async function signedByBoth(change: (text: string) => string) {
    const changed = join(force.home.root, "signed.yaml");
    writeFileSync(changed, change(readFileSync(file(), "utf8")));
    const bytes = readFileSync(changed).toString("base64url");
    const signed = await consoleApi(force.home).post("/agreements/sign", { bytes });
    const { line } = z.looseObject({ line: z.string() }).parse(signed);
    const { stdout } = await runApp("bureau", ["sign-agreement", changed, "--folder", force.home.bureau]);
    return { bytes, signatures: `${line.trimEnd()}\n${stdout.trimEnd()}\n` };
  }

  test("that expired lets nobody order or print, although two people activated it", async () => {
    const expired = (text: string) =>
      text.replace("version: 1", "version: 3").replace(/ {2}until: 20\d\d-.*$/m, "  until: 2026-01-02T00:00:00Z");
    const { bytes, signatures } = await signedByBoth(expired);
    const steps = async () => {
      const pinned = await consoleApi(force.home).post("/agreements/pin", { bytes, signatures });
      if (!z.looseObject({ ok: z.boolean() }).parse(pinned).ok) throw new Error("answered 409 not pinned");
      await force.as("security.one").post("/api/agreements/activate", { bytes, signatures });
      await force.as("security.two").post("/api/agreements/activate", { bytes, signatures });
      await force.as("production.lead").stream("/api/orders", { recipient: force.settings.recipient }, () => undefined);
    };
    await expect(steps()).rejects.toThrow(/answered 409/);
  });
});

describe("what is typed", () => {
  const type = (...args: string[]) => tipstaff(["--home", force.home.root, ...args]);
  const window = ["--from", "2026-01-01", "--to", "2027-01-01"];

  test("about a recipient with a slip in its name is refused, and the right one is named", async () => {
    const before = await force.count("hold");
    for (const args of [
      ["exposure", "--recipient", "cardmakr", ...window],
      ["holds", "place", "cardmakr", "--reason", "odd"],
    ]) {
      const { code, stdout, stderr } = await type(...args);
      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).toMatch(/\[unknown-recipient\].*\n {2}Known are: .*cardmaker/);
    }
    expect(await force.count("hold")).toBe(before);
  });

  test.each([
    [
      "a day that is none",
      ["exposure", "--recipient", "cardmaker", "--from", "rubbish", "--to", "2026-01-01"],
      /from: a date/,
    ],
    ["a card number that is none", ["cards", "show", "00000000-0000-4000-8000-000000000000"], /number: a card number/],
    ["a person's id that is none", ["people", "show", "12345"], /person: an id such as/],
    ["an order's id that is none", ["orders", "show", "x"], /order: an id such as/],
  ])("with %s exits 2 and says what is required", async (_what, args, words) => {
    const { code, stderr } = await type(...args);
    expect(stderr).toMatch(words);
    expect(stderr).not.toMatch(/invalid_|too_small|custom/);
    expect(code).toBe(2);
  });

  test("finds a person by number, in words and for programs, and nobody where nobody has it", async () => {
    const [header = "", row = ""] = readFileSync(join(force.stage.extractFolder, "extract.csv"), "utf8").split("\r\n");
    const number = row.split(",")[header.split(",").findIndex((name) => /pay/i.test(name))] ?? "";
    expect(number).not.toBe("");
    const found = await type("people", "find", number, "--as", "covert.custodian", "--json");
    const { id } = z.looseObject({ id: z.uuid() }).parse(JSON.parse(found.stdout));
    expect((await type("people", "find", number, "--as", "covert.custodian")).stdout).toMatch(
      new RegExp(`^id +${id}\n`),
    );
    const nobody = await type("people", "find", "NOBODYS1");
    expect([nobody.code, nobody.stdout]).toEqual([1, ""]);
    expect(nobody.stderr).toMatch(/unknown-person/);
  });

  test("as an import of what is no extract answers one object with --json", async () => {
    const empty = join(force.home.root, "empty.csv");
    writeFileSync(empty, "");
    const { code, stdout } = await type("people", "import", empty, "--json");
    expect(code).toBe(2);
    expect(z.looseObject({ error: z.string().min(1), advice: z.string() }).parse(JSON.parse(stdout)).error).not.toMatch(
      /^desk:/,
    );
  });

  test("to see what there is answers lines, and JSON only where it is asked for", async () => {
    for (const args of [
      ["runs", "show"],
      ["holds", "list"],
      ["bureau", "status"],
      ["keyholder", "journal", "--limit", "5"],
    ]) {
      const { code, stdout } = await type(...args);
      expect(code).toBe(0);
      expect(stdout).not.toMatch(/^[{[]/);
      expect(() => JSON.parse(stdout)).toThrow();
    }
    expect(JSON.parse((await type("runs", "show", "--json")).stdout)).toHaveProperty("runs");
  });
});

/** No cell before that column is quoted in the example extract. */
function replaceCell(row: string, column: number, text: string): string {
  const cells = row.split(",");
  if (row === "" || row.includes('"')) return row;
  return cells.map((cell, at) => (at === column ? text : cell)).join(",");
}
