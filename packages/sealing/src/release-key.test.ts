import { expect, test } from "vitest";
import { generateOneTimeKey, openRelease, SealingError, sealRelease } from "./index.ts";
import { expectAsyncRefusal, filled, flipBit } from "./test-support.ts";

const info = filled(4, 80);
const contentKey = filled(6);

test("openRelease() gives back the content key that sealRelease() sealed", async () => {
  const { publicKey, privateKey } = await generateOneTimeKey();
  const answer = await sealRelease({ publicKey, info, contentKey });
  expect([publicKey.length, answer.enc.length, answer.sealed.length]).toEqual([1216, 1120, 48]);
  expect(await openRelease({ privateKey, info, ...answer })).toEqual(contentKey);
});

test("openRelease() refuses another key, another info, and any turned bit", async () => {
  const [mine, other] = [await generateOneTimeKey(), await generateOneTimeKey()];
  const answer = await sealRelease({ publicKey: mine.publicKey, info, contentKey });
  const open = (changed: Partial<Parameters<typeof openRelease>[0]>) =>
    openRelease({ privateKey: mine.privateKey, info, ...answer, ...changed });
  await expectAsyncRefusal(() => open({ privateKey: other.privateKey }), "not-authentic");
  for (let bit = 0; bit < info.length * 8; bit += 61) {
    await expectAsyncRefusal(() => open({ info: flipBit(info, bit) }), "not-authentic");
  }
  for (let bit = 0; bit < 48 * 8; bit++) {
    await expectAsyncRefusal(() => open({ sealed: flipBit(answer.sealed, bit) }), "not-authentic");
  }
  for (let bit = 0; bit < 1120 * 8; bit += 97) {
    await expectAsyncRefusal(() => open({ enc: flipBit(answer.enc, bit) }), "not-authentic");
  }
  await expectAsyncRefusal(() => open({ enc: answer.enc.subarray(1) }), "malformed");
  await expectAsyncRefusal(() => open({ sealed: answer.sealed.subarray(1) }), "malformed");
});

test("sealRelease() refuses bytes that are no X-Wing public key, and keys of another length", async () => {
  const { publicKey } = await generateOneTimeKey();
  await expectAsyncRefusal(() => sealRelease({ publicKey: publicKey.subarray(1), info, contentKey }), "malformed");
  await expectAsyncRefusal(() => sealRelease({ publicKey: filled(255, 1216), info, contentKey }), "malformed");
  const lowOrder = Uint8Array.from([...publicKey.subarray(0, 1184), ...filled(0)]);
  await expectAsyncRefusal(() => sealRelease({ publicKey: lowOrder, info, contentKey }), "malformed");
  await expectAsyncRefusal(() => sealRelease({ publicKey, info, contentKey: filled(1, 16) }), "invalid-input");
});

test("sealRelease() does not blame the one-time key for what fails with every key", async () => {
  const { publicKey } = await generateOneTimeKey();
  const tooLong = filled(1, 70_000);
  const failure = sealRelease({ publicKey, info: tooLong, contentKey }).catch((error: unknown) => error);
  expect(await failure).not.toBeInstanceOf(SealingError);
  expect(await failure).toBeInstanceOf(Error);
});

test("generateOneTimeKey() makes a private key that cannot be exported", async () => {
  const { privateKey } = await generateOneTimeKey();
  expect(Object.values(privateKey).filter((value) => value instanceof Uint8Array)).toEqual([]);
  expect("extractable" in privateKey ? privateKey.extractable : undefined).toBe(false);
});
