import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestDesk, type TestDesk } from "../database/test-desk.ts";
import { createAgreementsInUse } from "./agreements-in-use.ts";
import { readAskedRelease } from "./asked-release.ts";
import { createReleaseWriter } from "./release-writer.ts";
import { makeRecipient } from "./test-recipient.ts";

let test: TestDesk;
beforeAll(async () => {
  test = await startTestDesk();
});
afterAll(async () => {
  await test?.stop();
});

it("a record that changes while the keyholder is told of receipts withdraws the job", async () => {
  const { desk } = test;
  const bureau = await makeRecipient(test);
  const [job] = bureau.jobs;
  const change = async () => {
    // Late enough that whatever was asked beside it has been answered.
    await new Promise((resolve) => setTimeout(resolve, 500));
    await desk.pool.query(
      `update person set record_version = person.record_version + 1 from job
       where job.person_id = person.id and job.id = $1`,
      [job],
    );
  };
  const writer = createReleaseWriter(desk, { agreements: createAgreementsInUse(desk.pool), settle: change });
  const raw = await bureau.capture(bureau.makeRequest(bureau.place(job), "line-1"));
  const body = Buffer.from(raw.body, "base64url");
  const asked = readAskedRelease({ raw, body, recipient: bureau.recipient });
  if (asked === undefined) throw new Error("not read");
  await writer.ask(asked);
  const { rows } = await desk.pool.query("select state from release where job_id = $1", [job]);
  expect(rows).toEqual([{ state: "cancelled" }]);
});
