import { chmodSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { chainRestart } from "@tipstaff/release-protocol";
import { afterEach, describe, expect, it } from "vitest";
import { pin } from "./installation/pins.ts";
import { signAgreement } from "./installation/sign-agreement.ts";
import {
  createTestBureau,
  runCommand,
  type Served,
  serve,
  serveProcess,
  type TestBureau,
  until,
} from "./test-bureau.ts";
import type { Behaviour, Message } from "./test-force-state.ts";

const open: { bureau?: TestBureau; served: Served[] } = { served: [] };
const establish = async (lines = 2): Promise<TestBureau> => {
  open.bureau = await createTestBureau({ lines });
  return open.bureau;
};
const start = async (bureau: TestBureau): Promise<Served> => {
  const served = await serve(bureau);
  open.served.push(served);
  return served;
};
const startProcess = async (bureau: TestBureau): Promise<Served> => {
  const served = await serveProcess(bureau);
  open.served.push(served);
  return served;
};
const once = (route: string, behaviour: Behaviour, times = 1) => {
  let left = times;
  return (message: Message): Behaviour => (message.route === route && left-- > 0 ? behaviour : "normal");
};
const FAST = { patienceSeconds: 3 };

afterEach(async () => {
  for (const served of open.served.splice(0)) await served.kill();
  await open.bureau?.remove();
  delete open.bureau;
});

describe("bureau fetch", () => {
  it("breaks off an order file that is longer than its jobs can be, and keeps nothing of it", async () => {
    const bureau = await establish(1);
    const { order } = bureau.force.addOrder(2);
    bureau.force.lengthenOrder(order, 6 << 20);
    const served = await start(bureau);
    expect(JSON.stringify(await served.post("/fetch", {}))).toContain("longer than its 2 jobs can be");
    expect(readdirSync(join(bureau.folder, "orders"))).toEqual([]);
  });
});

describe("bureau print", () => {
  it("prints each job of an open run once, sends each receipt, and keeps nothing in clear", async () => {
    const bureau = await establish();
    const { jobs, order } = bureau.force.addOrder(12);
    bureau.force.openRun(order);
    const served = await start(bureau);
    expect(await served.post("/fetch", {})).toEqual({ fetched: [{ order, jobs: 12 }], already: 0 });
    expect(await served.post("/fetch", {})).toEqual({ fetched: [], already: 1 });
    const summary = await served.post("/print", { spoil: [3, 7], ...FAST });
    expect(summary).toMatchObject({ produced: 10, spoiled: 2, uncertain: 0, refused: {}, receiptsWaiting: 0 });
    expect(bureau.force.unexpected).toEqual([]);
    expect(bureau.pages()).toHaveLength(10);
    expect(bureau.spoiled()).toHaveLength(2);
    for (const job of jobs) expect(bureau.force.jobs.get(job)?.receipt).toMatchObject({ kept: "nothing", attempt: 1 });
    expect(await served.get("/status")).toMatchObject({
      printing: false,
      jobs: { produced: 10, spoiled: 2 },
      receipts: { accepted: 12, waiting: 0 },
      uncertain: [],
      alarms: [],
    });
    expect(await served.post("/print", FAST)).toMatchObject({ produced: 0, lines: { "nothing-to-print": 2 } });
    await served.stop();
    const files = readdirSync(bureau.folder, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    expect(files.length).toBeGreaterThan(6);
    for (const entry of files) {
      const file = join(entry.parentPath, entry.name);
      const bytes = readFileSync(file);
      expect(bytes.includes("Secret Name")).toBe(false);
      for (const job of bureau.force.jobs.values()) expect(bytes.includes(Buffer.from(job.key))).toBe(false);
      expect(statSync(file).mode & 0o077, entry.name).toBe(0);
    }
    expect(served.log()).not.toContain("Secret");
  });

  it("asks again with the same identity when an answer is lost, and the force makes no second release", async () => {
    const bureau = await establish(1);
    const { order } = bureau.force.addOrder(2);
    bureau.force.openRun(order);
    const lost = once("POST /v1/releases", "lose-answer", 2);
    const lostReceipt = once("POST /v1/receipts", "lose-answer", 2);
    bureau.force.behave = (message) => (message.route === "POST /v1/releases" ? lost(message) : lostReceipt(message));
    const served = await start(bureau);
    expect(await served.post("/print", FAST)).toMatchObject({ produced: 2 });
    expect(bureau.force.released).toHaveLength(2);
    expect(bureau.force.unexpected).toEqual([]);
  });

  it.each(["lose-request", "unsigned", { refuse: "unavailable" }] as const)(
    "asks again after %j",
    async (behaviour) => {
      const bureau = await establish(1);
      const { order } = bureau.force.addOrder(1);
      bureau.force.openRun(order);
      bureau.force.behave = once("POST /v1/releases", behaviour, 2);
      const served = await start(bureau);
      expect(await served.post("/print", FAST)).toMatchObject({ produced: 1 });
      expect(bureau.force.released).toHaveLength(1);
    },
  );

  it("waits through a short hold, and goes idle at a long one without losing the job", async () => {
    const bureau = await establish(2);
    const { order } = bureau.force.addOrder(4);
    bureau.force.openRun(order);
    bureau.force.behave = once("POST /v1/releases", { refuse: "held" }, 2);
    const served = await start(bureau);
    expect(await served.post("/print", { ...FAST, lines: 1 })).toMatchObject({ produced: 4 });
    const more = bureau.force.addOrder(2);
    bureau.force.openRun(more.order);
    bureau.force.behave = ({ route }) => (route === "POST /v1/releases" ? { refuse: "held" } : "normal");
    expect(await served.post("/print", { patienceSeconds: 0.5 })).toMatchObject({ produced: 0, lines: { held: 2 } });
    bureau.force.behave = () => "normal";
    expect(await served.post("/print", FAST)).toMatchObject({ produced: 2, uncertain: 0 });
    expect(bureau.force.unexpected).toEqual([]);
  });

  it("waits as long as Retry-After says before it asks again", async () => {
    const bureau = await establish(1);
    const { order } = bureau.force.addOrder(1);
    bureau.force.openRun(order);
    bureau.force.behave = once("POST /v1/releases", { refuse: "too-fast", retryAfter: 1 });
    const served = await start(bureau);
    expect(await served.post("/print", FAST)).toMatchObject({ produced: 1 });
    const [first, second] = bureau.force.messages.filter(({ route }) => route === "POST /v1/releases");
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(990);
  });

  it("parks a job that is withdrawn, goes on with others, and never asks for it again", async () => {
    const bureau = await establish(1);
    const { order } = bureau.force.addOrder(3);
    bureau.force.openRun(order);
    bureau.force.behave = once("POST /v1/releases", { refuse: "withdrawn" });
    const served = await start(bureau);
    expect(await served.post("/print", FAST)).toMatchObject({ produced: 2, refused: { withdrawn: 1 } });
    expect(await served.post("/print", FAST)).toMatchObject({ produced: 0 });
    expect(await served.get("/status")).toMatchObject({ refused: { withdrawn: 1 }, jobs: { refused: 1, produced: 2 } });
  });

  it("follows the line's chain over an attempt that the keyholder cancelled", async () => {
    const bureau = await establish(1);
    const { order } = bureau.force.addOrder(2);
    bureau.force.openRun(order);
    bureau.force.behave = once("POST /v1/releases", { cancel: "held" });
    const served = await start(bureau);
    expect(await served.post("/print", FAST)).toMatchObject({ produced: 2, uncertain: 0 });
    expect(bureau.force.unexpected).toEqual([]);
    expect(bureau.force.released.map(({ attempt }) => attempt).sort()).toEqual([1, 2]);
  });

  it.each([
    ["outcome-signature", { signature: "A".repeat(86) }],
    ["checkpoint", { checkpoint: "exampleshire-police.example/tipstaff/log\n1\n" }],
    ["inclusion", { index: 5 }],
    ["other-job", { attempt: 2 }],
  ] as const)(
    "refuses a signed answer with another %s: no card, an alarm, and the line stops",
    async (fault, change) => {
      const bureau = await establish(1);
      const { order } = bureau.force.addOrder(1);
      bureau.force.openRun(order);
      bureau.force.behave = once("POST /v1/releases", { tamper: (answer) => ({ ...answer, ...change }) });
      const served = await start(bureau);
      expect(await served.post("/print", FAST)).toMatchObject({ produced: 0, lines: { "answer-refused": 1 } });
      expect(bureau.pages()).toEqual([]);
      const { alarms } = await served.get("/status");
      expect(alarms).toMatchObject([{ kind: `answer-refused:${fault}`, line: "line-01" }]);
    },
  );

  it("refuses openings that name another request, or that are not true of the leaf", async () => {
    const bureau = await establish(1);
    const { order } = bureau.force.addOrder(2);
    bureau.force.openRun(order);
    const changes = [(value: string) => (value.length === 64 ? "0".repeat(64) : value), (value: string) => value];
    const salts = [(salt: string) => salt, () => "A".repeat(43)];
    let at = 0;
    bureau.force.behave = ({ route }) => {
      const [change, salted] = [changes[at], salts[at]];
      if (route !== "POST /v1/releases" || change === undefined || salted === undefined) return "normal";
      at += 1;
      return {
        tamper: (answer) => ({
          ...answer,
          revealed: answer.revealed.map(({ field, salt, value }) => ({
            field,
            salt: salted(salt),
            value: change(value),
          })),
        }),
      };
    };
    const served = await start(bureau);
    await served.post("/print", FAST);
    await served.post("/print", FAST);
    const { alarms } = await served.get("/status");
    expect(alarms.map(({ kind }: { kind: string }) => kind)).toEqual([
      "answer-refused:openings-other",
      "answer-refused:openings-other",
    ]);
    expect(bureau.pages()).toEqual([]);
  });

  it("stops a line for good when somebody else has used it", async () => {
    const bureau = await establish(1);
    const { order } = bureau.force.addOrder(1);
    bureau.force.openRun(order);
    bureau.force.behave = ({ route }) => (route === "POST /v1/releases" ? { refuse: "chain-broken" } : "normal");
    bureau.force.chains.set("line-01", "ab".repeat(32));
    const served = await start(bureau);
    expect(await served.post("/print", FAST)).toMatchObject({ produced: 0, lines: { "line-forked": 1 } });
    expect(await served.post("/print", FAST)).toMatchObject({ lines: { "line-forked": 1 } });
    const status = await served.get("/status");
    expect(status.alarms).toMatchObject([{ kind: "line-forked" }]);
    expect(status.lines).toMatchObject([{ state: "line-forked" }]);
    expect(bureau.force.messages.filter(({ route }) => route === "POST /v1/releases")).toHaveLength(1);
  });

  it("goes on with a stopped line only where the force restarted it and nobody has used it since", async () => {
    const bureau = await establish(1);
    const { order } = bureau.force.addOrder(2);
    bureau.force.openRun(order);
    bureau.force.behave = once("POST /v1/releases", { refuse: "chain-broken" });
    const stolen = "ab".repeat(32);
    bureau.force.chains.set("line-01", stolen);
    const served = await start(bureau);
    await served.post("/print", FAST);
    const restart = () => served.call("POST", "/restart", { line: "line-01", operator: "operator-7" });
    expect(await restart()).toMatchObject({ status: 409, json: { code: "refused" } });
    const consent = "0b0e7a8e-5f0e-4c39-9a52-0d2d5f0c7a11";
    bureau.force.restarts.set("line-01", consent);
    expect(await restart()).toMatchObject({ status: 409 });
    expect((await served.get("/status")).lines).toMatchObject([{ state: "line-forked" }]);
    const chain = Buffer.from(chainRestart("cardmaker", "line-01", consent)).toString("hex");
    bureau.force.chains.set("line-01", chain);
    expect(await restart()).toMatchObject({ status: 200, json: { line: "line-01", restarted: true } });
    expect(await restart()).toMatchObject({ status: 409 });
    // The job that was in flight when the line stopped is not asked for again.
    expect(await served.post("/print", FAST)).toMatchObject({ produced: 1, lines: { "nothing-to-print": 1 } });
    expect(await served.call("POST", "/restart", { line: "line-9", operator: "o" })).toMatchObject({ status: 400 });
  });

  it("says that the desk is away, and does not hang", async () => {
    const bureau = await establish(1);
    const { order } = bureau.force.addOrder(2);
    bureau.force.openRun(order);
    const served = await start(bureau);
    await served.post("/fetch", {});
    bureau.force.behave = ({ route }) => (route === "POST /v1/releases" ? "lose-request" : "normal");
    const summary = await served.post("/print", { patienceSeconds: 0.5 });
    expect(summary).toMatchObject({ produced: 0, lines: { "no-connection": 1 } });
    bureau.force.behave = () => "normal";
    expect(await served.post("/print", FAST)).toMatchObject({ produced: 2 });
  });
});

describe("bureau resolve", () => {
  it("keeps a jammed job uncertain until an operator has looked, and then sends the receipt under the operator's id", async () => {
    const bureau = await establish(1);
    const { order } = bureau.force.addOrder(3);
    bureau.force.openRun(order);
    const served = await start(bureau);
    expect(await served.post("/print", { loseReceipt: [2], ...FAST })).toMatchObject({
      produced: 1,
      uncertain: 1,
      lines: { jammed: 1 },
    });
    expect(await served.post("/print", FAST)).toMatchObject({ produced: 0, lines: { jammed: 1 } });
    const { uncertain } = await served.get("/status");
    expect(uncertain).toHaveLength(1);
    const [{ job, blank }] = uncertain;
    expect(bureau.force.jobs.get(job)?.receipt).toBeUndefined();
    const answer = { job, result: "produced", operator: "op-7" };
    expect(await served.post("/resolve", answer)).toEqual({ job, result: "produced", blank, receipt: "accepted" });
    expect(bureau.force.jobs.get(job)?.receipt).toMatchObject({ result: "produced", resolved: "op-7", blank });
    expect((await served.call("POST", "/resolve", answer)).status).toBe(409);
    expect(await served.post("/print", FAST)).toMatchObject({ produced: 1 });
    expect(bureau.pages()).toHaveLength(3);
  });

  it("puts the blank aside when the operator finds it spoiled", async () => {
    const bureau = await establish(1);
    const { order } = bureau.force.addOrder(1);
    bureau.force.openRun(order);
    const served = await start(bureau);
    await served.post("/print", { loseReceipt: [1], ...FAST });
    const { uncertain } = await served.get("/status");
    const [{ job }] = uncertain;
    expect(await served.post("/resolve", { job, result: "spoiled", operator: "op-7" })).toMatchObject({
      receipt: "accepted",
    });
    expect(bureau.force.jobs.get(job)?.receipt).toMatchObject({ result: "spoiled", reason: "crash" });
    expect([bureau.pages().length, bureau.spoiled().length]).toEqual([0, 1]);
  });
});

describe("a bureau that is killed and started again", () => {
  it("sends a receipt that was recorded and not accepted", async () => {
    const bureau = await establish(1);
    const { order, jobs } = bureau.force.addOrder(1);
    bureau.force.openRun(order);
    bureau.force.behave = ({ route }) => (route === "POST /v1/receipts" ? "lose-request" : "normal");
    const served = await startProcess(bureau);
    expect(await served.post("/print", { patienceSeconds: 0.3 })).toMatchObject({ produced: 1, receiptsWaiting: 1 });
    await served.kill();
    bureau.force.behave = () => "normal";
    const again = await startProcess(bureau);
    await until("the receipt is there", () => bureau.force.jobs.get(jobs[0] ?? "")?.receipt !== undefined);
    await until("it is known", async () => (await again.get("/status")).receipts.accepted === 1);
  });

  it.each(["lose-answer", "lose-request"] as const)(
    "settles a request that was in flight (%s) by the line's chain value, and then prints the job once",
    async (behaviour) => {
      const bureau = await establish(1);
      const { order } = bureau.force.addOrder(1);
      bureau.force.openRun(order);
      bureau.force.behave = ({ route }) => (route === "POST /v1/releases" ? behaviour : "normal");
      const served = await startProcess(bureau);
      void served.post("/print", FAST).catch(() => undefined);
      await until("it was asked", () => bureau.force.messages.some(({ route }) => route === "POST /v1/releases"));
      await served.kill();
      bureau.force.behave = () => "normal";
      const again = await startProcess(bureau);
      await again.post("/print", FAST);
      const attempts = behaviour === "lose-answer" ? [1, 2] : [1];
      expect(bureau.force.released.map(({ attempt }) => attempt)).toEqual(attempts);
      expect(bureau.pages()).toHaveLength(1);
      expect(bureau.force.unexpected).toEqual([]);
      expect(await again.get("/status")).toMatchObject({ jobs: { produced: 1 }, receipts: { accepted: 1 } });
    },
  );

  it("at any instant: every page has its receipt or an operator's question, and none is printed twice", async () => {
    const bureau = await establish(4);
    const { order, jobs } = bureau.force.addOrder(60);
    bureau.force.openRun(order);
    for (let round = 0; round < 4; round++) {
      const served = await startProcess(bureau);
      void served.post("/print", FAST).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 60 + round * 35));
      await served.kill();
    }
    const served = await startProcess(bureau);
    for (let round = 0; round < 4; round++) {
      const { uncertain } = await served.get("/status");
      for (const { job, blank } of uncertain) {
        const result = bureau.pages().includes(`${blank}.pdf`) ? "produced" : "spoiled";
        expect(await served.post("/resolve", { job, result, operator: "op-7" })).toMatchObject({ receipt: "accepted" });
      }
      await served.post("/print", FAST);
    }
    const status = await served.get("/status");
    expect(status.uncertain).toEqual([]);
    expect(bureau.force.unexpected).toEqual([]);
    const receipts = jobs.flatMap((job) => bureau.force.jobs.get(job)?.receipt ?? []);
    const produced = receipts.filter(({ result }) => result === "produced");
    const parked = status.refused["attempt-refused"] ?? 0;
    expect(receipts.length + parked).toBeLessThanOrEqual(60);
    expect(parked === 0 ? receipts.length : 60).toBe(60);
    expect(bureau.pages().sort()).toEqual(produced.map(({ blank }) => `${blank}.pdf`).sort());
    const names = bureau.pages().map((page) => readFileSync(join(bureau.printer, page), "utf8"));
    expect(new Set(names).size).toBe(names.length);
  });
});

describe("bureau API", () => {
  it("refuses callers without the token, unknown routes, and bodies that do not fit", async () => {
    const bureau = await establish(1);
    const served = await start(bureau);
    expect((await served.call("GET", "/status", undefined, {})).status).toBe(401);
    expect((await served.call("GET", "/status", undefined, { authorization: "Bearer wrong" })).status).toBe(401);
    expect((await served.call("GET", "/nothing")).status).toBe(404);
    expect((await served.call("POST", "/print", { spoil: [0] })).status).toBe(400);
    expect((await served.call("POST", "/print", { unknown: 1 })).status).toBe(400);
    expect((await served.call("POST", "/resolve", { job: "x", result: "lost", operator: "" })).status).toBe(400);
    expect((await served.call("POST", "/print", { run: "00000000-0000-4000-8000-000000000000" })).status).toBe(409);
    expect(await served.get("/events")).toEqual({ events: [] });
  });

  it("takes one print call at a time", async () => {
    const bureau = await establish(1);
    const { order } = bureau.force.addOrder(1);
    bureau.force.openRun(order);
    bureau.force.behave = ({ route }) => (route === "POST /v1/releases" ? { refuse: "held" } : "normal");
    const served = await start(bureau);
    const first = served.post("/print", { patienceSeconds: 1 });
    await until("it prints", async () => (await served.get("/status")).printing);
    expect((await served.call("POST", "/print", {})).status).toBe(409);
    await first;
  });
});

describe("bureau commands", () => {
  it("refuse what does not fit, with exit code 2 and one line", async () => {
    const { folder, printer, root } = await establish(1);
    const again = await runCommand("init", "--folder", folder, "--recipient", "cardmaker", "--printer", printer);
    expect([again.code, again.stdout]).toEqual([2, ""]);
    expect(again.stderr).toMatch(/^bureau: .* holds a bureau already\. Choose another --folder\n$/);
    const nowhere = await runCommand("serve", "--folder", join(root, "nowhere"));
    expect([nowhere.code, nowhere.stdout]).toEqual([2, ""]);
    expect(nowhere.stderr).toMatch(/^bureau: There is no bureau in .*\n$/);
  });

  it("refuse an agreement that names other keys, and pins that do not verify or take others' place", async () => {
    const { folder, force, pins } = await establish(1);
    const example = new URL("../../../examples/agreements/card-contractor.yaml", import.meta.url).pathname;
    expect(() => signAgreement({ folder, file: example })).toThrow(/not this bureau's keys/);
    const other = "exampleshire-police+00000000+AAAA";
    expect(() => pin({ ...pins, forceVerifierKey: other })).toThrow(/--force-verifier-key/);
    expect(() => pin({ ...pins, replyPublicKey: "AAAA" })).toThrow(/--reply-public-key/);
    expect(() => pin({ ...pins, deskUrl: "http://desk/path" })).toThrow(/--desk-url/);
    expect(() => pin({ ...pins, logVerifierKey: force.forceVerifierKey })).toThrow(/Another force or log is pinned/);
    const notTheForce = { ...pins, forceVerifierKey: force.logVerifierKey, replace: true };
    expect(() => pin(notTheForce)).toThrow(/controller-not-signed/);
    chmodSync(join(folder, "keys", "requests.key"), 0o644);
    expect(() => pin(pins)).toThrow(/can be read by others/);
  });
});
