import { createHash, randomBytes } from "node:crypto";
import {
  createCosigner,
  encodeCheckpoint,
  encodeSignedNote,
  parseSignedNote,
  parseVerifierKey,
  signNote,
} from "@tipstaff/ledger";
import { afterEach, beforeEach, expect, test } from "vitest";
import { consoleHandlers } from "../calls.ts";
import { signedRoot } from "../checkpoints/sign-checkpoint.ts";
import {
  createScenario,
  makeBureauKeys,
  ORIGIN,
  pinEverything,
  startTestKeyholder,
  type TestKeyholder,
  wordOf,
} from "../test-scenario.ts";

let held: TestKeyholder;
let world: ReturnType<typeof createScenario>;
beforeEach(async () => {
  held = await startTestKeyholder();
  const keys = makeBureauKeys();
  world = createScenario(held, keys, pinEverything(held, keys));
});
afterEach(() => held.end());

const witness = createCosigner({ name: "w.example", seed: randomBytes(32) });
const pin = () => {
  const policy = `witness w ${witness.verifierKey}\nquorum w\n`;
  return consoleHandlers["witnesses/pin"](held.keyholder, { policy });
};
const noteOf = (size: number, root: Uint8Array, by: readonly (typeof witness)[]): string => {
  const { text, signatures } = parseSignedNote(
    signNote(encodeCheckpoint({ origin: ORIGIN, size, root }), [held.keyholder.keys.checkpointSigner]),
  );
  const cosigned = by.map((cosigner) => cosigner.cosign(text, 1_780_000_000));
  return Buffer.from(encodeSignedNote({ text, signatures: [...signatures, ...cosigned] })).toString("utf8");
};

test("without a pinned policy a release needs no witness", async () => {
  const job = world.makeJob();
  expect((await world.decide(world.log(job, await world.ask(job)))).map(wordOf)).toEqual(["released"]);
});

test("with one, a release whose checkpoint lacks the quorum is not decided, and is once the quorum is shown", async () => {
  expect(pin()).toEqual({ pinned: true });
  const job = world.makeJob();
  const shown = world.log(job, await world.ask(job));
  const root = signedRoot(held.keyholder.store, shown.treeSize) ?? new Uint8Array(0);
  const namesake = createCosigner({ name: "w.example", seed: randomBytes(32) });
  const unfit = [
    undefined,
    "nothing",
    noteOf(shown.treeSize, root, []),
    noteOf(shown.treeSize, root, [namesake]),
    noteOf(shown.treeSize + 1, root, [witness]),
    noteOf(shown.treeSize, randomBytes(32), [witness]),
  ];
  for (const checkpoint of unfit) {
    const outcomes = await world.decide({ ...shown, ...(checkpoint === undefined ? {} : { checkpoint }) });
    expect(outcomes.map(wordOf)).toEqual(["undecided: not-witnessed"]);
  }
  const checkpoint = noteOf(shown.treeSize, root, [witness]);
  expect((await world.decide({ ...shown, checkpoint })).map(wordOf)).toEqual(["released"]);
});

test("status shows the policy as it was pinned, and none before", () => {
  expect(consoleHandlers.status(held.keyholder, {})).toMatchObject({ witnessPolicy: null });
  pin();
  const policy = `witness w ${witness.verifierKey}\nquorum w\n`;
  expect(consoleHandlers.status(held.keyholder, {})).toMatchObject({ witnessPolicy: policy });
});

test("a policy with the keyholder's own key as a witness is not pinned", () => {
  for (const { verifierKey } of [held.keyholder.keys.checkpointSigner, held.keyholder.keys.forceSigner]) {
    const { publicKey } = parseVerifierKey(verifierKey);
    const typed = Buffer.from([4, ...publicKey]);
    const id = createHash("sha256").update("w.example\n").update(typed).digest("hex").slice(0, 8);
    const own = `w.example+${id}+${typed.toString("base64")}`;
    expect(() => consoleHandlers["witnesses/pin"](held.keyholder, { policy: `witness w ${own}\nquorum w\n` })).toThrow(
      expect.objectContaining({ code: "malformed" }),
    );
  }
  expect(consoleHandlers.status(held.keyholder, {})).toMatchObject({ witnessPolicy: null });
});

test("what is no policy is not pinned", () => {
  expect(() => consoleHandlers["witnesses/pin"](held.keyholder, { policy: "quorum w\n" })).toThrow(
    expect.objectContaining({ code: "malformed" }),
  );
});
