import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import * as node from "./node.ts";
import * as portable from "./portable.ts";

const hex = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString("hex");

describe("Node and every other platform", () => {
  test("hash alike at every length around a block", () => {
    for (const length of [0, 1, 55, 56, 63, 64, 65, 119, 120, 481, 65_535]) {
      const bytes = randomBytes(length);
      expect(hex(portable.sha256(bytes))).toBe(hex(node.sha256(bytes)));
      for (const { sha256, sha256Into } of [node, portable]) {
        const out = new Uint8Array(40);
        sha256Into(bytes, out, 5);
        expect(hex(out)).toBe(`0000000000${hex(sha256(bytes))}000000`);
      }
    }
  });

  test("seal to the same bytes, open each other's, and refuse one changed bit", () => {
    const input = { key: randomBytes(32), nonce: randomBytes(12), aad: randomBytes(40) };
    const plaintext = randomBytes(300);
    const sealed = portable.sealAead(input, plaintext);
    expect(hex(sealed)).toBe(hex(node.sealAead(input, plaintext)));
    for (const { openAead } of [node, portable]) {
      expect(hex(openAead(input.key, input.aad, sealed))).toBe(hex(plaintext));
      for (const at of [0, 11, 12, 200, sealed.length - 1]) {
        const changed = sealed.with(at, (sealed[at] ?? 0) ^ 1);
        expect(openAead(input.key, input.aad, changed)).toBeUndefined();
      }
      expect(openAead(input.key, randomBytes(40), sealed)).toBeUndefined();
      expect(openAead(input.key, input.aad, sealed.subarray(0, 27))).toBeUndefined();
    }
  });

  test("sign to the same bytes, and refuse the same signatures", () => {
    const seed = randomBytes(32);
    const message = randomBytes(100);
    const privates = [node, portable].map((platform) => platform.ed25519PrivateKey(seed));
    const [a, b] = [node, portable].map((platform, i) => platform.signEd25519(privates[i] ?? {}, message));
    const raw = node.ed25519RawPublicKey(privates[0] ?? {});
    expect(hex(a)).toBe(hex(b));
    expect(hex(raw)).toBe(hex(portable.ed25519RawPublicKey(privates[1] ?? {})));
    const signature = Uint8Array.from(a ?? []);
    // S + L: the same signature once more, as malleable schemes would have it.
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const s = BigInt(`0x${hex(signature.slice(32).reverse())}`) + order;
    const raised = Uint8Array.from([...signature.slice(0, 32), ...bytesOf(s).reverse()]);
    for (const platform of [node, portable]) {
      const key = platform.ed25519PublicKey(raw);
      expect(platform.verifyEd25519(key, message, signature)).toBe(true);
      expect(platform.verifyEd25519(key, message, raised)).toBe(false);
      expect(platform.verifyEd25519(key, message.subarray(1), signature)).toBe(false);
      expect(platform.verifyEd25519(key, message, signature.subarray(1))).toBe(false);
    }
  });

  test("refuse a key of another platform", () => {
    expect(() => node.verifyEd25519(new Uint8Array(32), new Uint8Array(1), new Uint8Array(64))).toThrow(TypeError);
    const key = node.ed25519PrivateKey(randomBytes(32));
    expect(() => portable.signEd25519(key, new Uint8Array(1))).toThrow(TypeError);
  });
});

const bytesOf = (value: bigint): Uint8Array =>
  Uint8Array.from(Buffer.from(value.toString(16).padStart(64, "0"), "hex"));
