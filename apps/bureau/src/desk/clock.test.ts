import { afterEach, expect, it } from "vitest";
import { createTestBureau, type Served, serve, type TestBureau, until } from "../test-bureau.ts";

const open: { bureau?: TestBureau; served?: Served } = {};
afterEach(async () => {
  await open.served?.stop();
  await open.bureau?.remove();
});

async function establish() {
  const bureau = await createTestBureau({ lines: 1 });
  open.bureau = bureau;
  const { order } = bureau.force.addOrder(2);
  bureau.force.openRun(order);
  /** Another life of this bureau, whose clock is off by so many seconds. */
  const restart = async (secondsOff: number) => {
    await open.served?.stop();
    const served = await serve(bureau, () => new Date(Date.now() + secondsOff * 1000));
    open.served = served;
    return served;
  };
  return { bureau, restart };
}

it.each([-600, -100, 100, 600])(
  "a bureau whose clock is %i s off says so at once, and goes on when it is set",
  async (off) => {
    const { bureau, restart } = await establish();
    const wrong = await restart(off);
    for (const path of ["/fetch", "/print"]) {
      const asked = bureau.force.messages.length;
      const { status, json } = await wrong.call("POST", path, {});
      expect([409, 502]).toContain(status);
      expect(json.title).toMatch(/clock and the desk's are more than a minute apart/);
      expect(bureau.force.messages.length - asked).toBe(1);
    }
    const right = await restart(0);
    expect(await right.post("/print", { patienceSeconds: 10 })).toMatchObject({ produced: 2, uncertain: 0 });
  },
);

it("a receipt that waits while the clock is off alarms once, is kept, and is sent when the clock is set", async () => {
  const { bureau, restart } = await establish();
  bureau.force.behave = ({ route }) => (route === "POST /v1/receipts" ? "lose-request" : "normal");
  const first = await restart(0);
  expect(await first.post("/print", { patienceSeconds: 0.3 })).toMatchObject({ produced: 1, receiptsWaiting: 1 });
  bureau.force.behave = () => "normal";
  const wrong = await restart(600);
  const alarms = async () => (await wrong.get("/status")).alarms.map(({ kind }: { kind: string }) => kind);
  await until("it alarms", async () => (await alarms()).length > 0);
  const tries = () => bureau.force.messages.filter(({ route }) => route === "POST /v1/receipts").length;
  const before = tries();
  await until("it is tried again", () => tries() > before);
  expect(await alarms()).toEqual(["receipt-refused:clock-differs"]);
  const right = await restart(0);
  await until("it is accepted", async () => (await right.get("/status")).receipts.accepted === 1);
});
