import { createHash, generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { parsePublicKey } from "./public-key.ts";

const raw = () => generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "der" }).subarray(12);
const toVerifierKey = (name: string, key: Uint8Array): string => {
  const typed = Buffer.concat([Buffer.from([1]), key]);
  const hash = createHash("sha256").update(`${name}\n`).update(typed).digest("hex").slice(0, 8);
  return `${name}+${hash}+${typed.toString("base64")}`;
};

describe("parsePublicKey()", () => {
  it("reads base64 and a signed-note verifier key into the same 32 bytes", () => {
    for (let round = 0; round < 50; round++) {
      const key = raw();
      const base64 = key.toString("base64");
      expect(parsePublicKey(base64)).toBe(base64);
      expect(parsePublicKey(toVerifierKey("cardmaker.example/requests", key))).toBe(base64);
    }
  });

  const good = raw().toString("base64");
  it.each([
    ["nothing", ""],
    ["base64url", good.replace(/[A-Za-z]/, "-")],
    ["no padding", good.slice(0, -1)],
    ["31 bytes", Buffer.alloc(31, 7).toString("base64")],
    ["33 bytes", Buffer.alloc(33, 7).toString("base64")],
    ["bits left over", `${good.slice(0, 42)}${good[42] === "B" ? "F" : "B"}=`],
    ["a space", ` ${good}`],
    ["a verifier key of another algorithm", `n+01234567+${Buffer.alloc(33, 4).toString("base64")}`],
    ["a verifier key without its hash", `n+${Buffer.concat([Buffer.from([1]), raw()]).toString("base64")}`],
  ])("refuses %s", (_title, text) => {
    expect(parsePublicKey(text)).toBeUndefined();
  });

  it.each([
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  ])("refuses %s, a point of small order, for which anybody can sign", (hex) => {
    const key = Buffer.from(hex, "hex");
    expect(parsePublicKey(key.toString("base64"))).toBeUndefined();
    expect(parsePublicKey(toVerifierKey("n", key))).toBeUndefined();
  });
});
