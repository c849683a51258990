import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  buildCensusMap,
  CHECKPOINT_PATH,
  censusKey,
  censusLeaf,
  createNoteSigner,
  encodeCensusDetail,
  openEvent,
  operationId,
  prepareEntry,
} from "@tipstaff/ledger";
import { createMemoryLog } from "@tipstaff/ledger/memory";
import { serveLog } from "@tipstaff/ledger/serve";
import { Command } from "commander";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { CliError } from "../cli-error.ts";
import { registerLedger } from "./ledger.ts";

const place = mkdtempSync(join(tmpdir(), "tipstaff-complete-"));
const secret = (name: string): Uint8Array => createHash("sha256").update(name).digest();
const [tagKey, auditKey] = [secret("tag"), secret("audit")];
const signer = createNoteSigner("test.example/log", secret("signer"));
const at = "2026-03-01T09:30:00.000Z";
const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const toBase64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
const idOf = (kind: string, reference: string) =>
  operationId({ operationKey: secret("operation"), kind, recipient: "", reference });
const random = (length: number) => randomBytes(length);

/** A log with three entries about a person and a census that counts them; and that person's history. */
async function makeHistory() {
  const log = createMemoryLog(signer);
  const entries = [1, 2, 3].map((n) => {
    const made = prepareEntry({
      ...{ operationId: idOf("received", String(n)), random, tag: { tagKey, n } },
      fields: { kind: "received", subject: "somebody", at },
      keys: { log: secret("log"), subjectAudit: auditKey },
    });
    return { n, made, index: log.append([made.leaf]).firstIndex };
  });
  const map = buildCensusMap([censusLeaf(tagKey, 3), censusLeaf(secret("another"), 7)]);
  const id = idOf("census", "1");
  const census = prepareEntry({
    ...{ operationId: id, random, tag: undefined, keys: { log: secret("log") } },
    fields: {
      ...{ kind: "census", at },
      detail: encodeCensusDetail({ seq: 1, root: map.root, next: idOf("census", "2") }),
    },
  });
  const censusIndex = log.append([census.leaf]).firstIndex;
  const opened = openEvent(census.openings, id, secret("log"));
  if (!opened) throw new Error("own key");
  const prover = log.prover();
  const proofOf = async (index: number) => (await prover.inclusion(index)).map(toBase64);
  const show = (field: "kind" | "detail") => ({ value: opened.fields[field], salt: toHex(opened.salts[field]) });
  const { end, siblings } = map.prove(censusKey(tagKey));
  const history = {
    ...{ version: 1, origin: "test.example/log", tagKey: toHex(tagKey), auditKey: toHex(auditKey) },
    checkpoint: Buffer.from((await log.reader.read(CHECKPOINT_PATH)) ?? []).toString("utf8"),
    entries: await Promise.all(
      entries.map(async ({ n, index, made }) => ({
        ...{ n, index, leaf: toBase64(made.leaf), openings: toBase64(made.openings), proof: await proofOf(index) },
      })),
    ),
    censuses: [
      {
        ...{ seq: 1, index: censusIndex, leaf: toBase64(census.leaf), proof: await proofOf(censusIndex), n: 3 },
        ...{ kind: show("kind"), detail: show("detail") },
        map: {
          end: end ? { key: toHex(end.key), commitment: toHex(end.commitment) } : null,
          siblings: siblings.map(toBase64),
        },
      },
    ],
  };
  return { log, history };
}

let made: Awaited<ReturnType<typeof makeHistory>>;
let server: Server;
let url = "";
beforeAll(async () => {
  made = await makeHistory();
  // What comes after the history is not its matter.
  made.log.append([randomBytes(40)]);
  server = createServer(serveLog({ tiles: made.log.reader, prefix: "/log/" }));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}/log`;
});
afterAll(() => {
  server.close();
  rmSync(place, { recursive: true, force: true });
});

type History = typeof made.history;
let files = 0;
const complete = async (history: unknown, ...options: string[]) => {
  files += 1;
  const file = join(place, `${files}.json`);
  writeFileSync(file, JSON.stringify(history));
  const program = new Command("tipstaff").option("--home <dir>").option("--json").exitOverride();
  registerLedger(program);
  let stdout = "";
  const out = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    stdout += text;
    return true;
  });
  process.exitCode = 0;
  try {
    await program.parseAsync(["--home", place, "ledger", "complete", file, "--key", signer.verifierKey, ...options], {
      from: "user",
    });
    return { code: process.exitCode, text: stdout };
  } catch (error) {
    return { code: error instanceof CliError ? error.exitCode : String(error), text: "" };
  } finally {
    out.mockRestore();
    process.exitCode = 0;
  }
};
/** Against the log, and against the file alone. */
const both = async (edit: (history: History) => unknown) => {
  const edited = edit(structuredClone(made.history));
  return [await complete(edited, "--log", url), await complete(edited)];
};
const without = (history: History, n: number) => ({
  ...history,
  entries: history.entries.filter((entry) => entry.n !== n),
});

describe("tipstaff ledger complete", () => {
  test("says of a whole history that it is, and lists it", async () => {
    for (const { code, text } of await both((history) => history)) {
      expect(text).toContain("COMPLETE: nothing is missing up to census 1");
      expect(text).toContain("  3. 2026-03-01T09:30:00.000Z received (entry 2)");
      expect(code).toBe(0);
    }
  });

  test("finds an entry that was dropped in the middle, and one at the end", async () => {
    for (const n of [2, 3]) {
      const [log, alone] = await both((history) => without(history, n));
      expect(log).toMatchObject({ code: 1, text: expect.stringContaining(`openings of the person's entry ${n}`) });
      expect(alone).toMatchObject({ code: 1, text: expect.stringContaining(`counts the person's entry ${n}`) });
    }
    const [, alone] = await both((history) => without(history, 2));
    expect(alone?.text).toContain("the person's entry 2 is missing, though later ones are there");
  });

  test("finds changed openings, a false count, and a census that is kept back", async () => {
    const changed = await both((history) => {
      const [first] = history.entries;
      return { ...history, entries: history.entries.map((entry) => ({ ...entry, openings: first?.openings })) };
    });
    for (const { code, text } of changed) {
      expect([code, text]).toEqual([
        1,
        expect.stringMatching(/entry 2 .*were changed; SHA-256 of the true ones: [0-9a-f]{64}/),
      ]);
    }
    const counted = await both((history) => ({
      ...history,
      censuses: history.censuses.map((one) => ({ ...one, n: 2 })),
    }));
    for (const { code, text } of counted) {
      expect([code, text]).toEqual([1, expect.stringContaining("census 1 does not say what the file says")]);
    }
    for (const { code, text } of await both((history) => ({ ...history, censuses: [] }))) {
      expect([code, text]).toEqual([1, expect.stringContaining("no census vouches for the list yet")]);
    }
  });

  test("finds a checkpoint that another key signed, and a log that is another one", async () => {
    const other = createNoteSigner("test.example/log", secret("another signer"));
    expect(await complete(made.history, "--key", other.verifierKey, "--log", url)).toMatchObject({
      code: 1,
      text: expect.stringContaining("not signed by this log's key"),
    });
    const { history } = await makeHistory();
    expect(await complete(history, "--log", url)).toMatchObject({
      code: 1,
      text: expect.stringContaining("not the one that the file's checkpoint was signed for"),
    });
  });

  test("keeps the log's index in a temporary file alone, and leaves none behind", async () => {
    const temporary = join(place, "temporary");
    mkdirSync(temporary);
    vi.stubEnv("TMPDIR", temporary);
    const seen: string[][] = [];
    const look = (_: unknown, response: ServerResponse): void => {
      response.once("finish", () => seen.push(readdirSync(temporary)));
    };
    server.on("request", look);
    try {
      expect(await complete(made.history, "--log", url)).toMatchObject({ code: 0 });
      expect(seen.some(({ length }) => length === 1)).toBe(true);
      expect(readdirSync(temporary)).toEqual([]);
      const withoutEntries = {
        read: async (path: string) => (path.includes("entries") ? undefined : made.log.reader.read(path)),
      };
      const broken = createServer(serveLog({ tiles: withoutEntries, prefix: "/log/" }));
      await new Promise<void>((resolve) => broken.listen(0, "127.0.0.1", resolve));
      const address = broken.address();
      const port = typeof address === "object" && address ? address.port : 0;
      expect(await complete(made.history, "--log", `http://127.0.0.1:${port}/log`)).toMatchObject({ code: 2 });
      broken.close();
      expect(readdirSync(temporary)).toEqual([]);
      vi.stubEnv("TMPDIR", join(place, "nowhere"));
      expect(await complete(made.history, "--log", url)).toMatchObject({ code: 2 });
    } finally {
      server.off("request", look);
      vi.unstubAllEnvs();
    }
  });

  test("could not run on what is no history", async () => {
    expect((await complete({ ...made.history, version: 2 })).code).toBe(2);
    expect((await complete({ ...made.history, more: 1 })).code).toBe(2);
    expect((await complete({ ...made.history, tagKey: "00" })).code).toBe(2);
    expect((await complete("", "--log", join(place, "nowhere"))).code).toBe(2);
  });
});
