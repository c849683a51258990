import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  chainNext,
  chainRestart,
  chainStart,
  orderStatement,
  outcomeStatement,
  releaseIdentity,
  releaseInfo,
} from "./statements.ts";

const vectors = JSON.parse(readFileSync(new URL("../vectors/statements.json", import.meta.url), "utf8"));
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const request = vectors.request;
const digest = Buffer.alloc(32, 3);

describe("statements", () => {
  it("agree with the vectors", () => {
    const identity = releaseIdentity(request);
    const start = chainStart(request.recipient, request.line);
    expect(hex(start)).toBe(vectors.chainStart);
    expect(hex(identity)).toBe(vectors.identity);
    expect(hex(chainNext(start, identity))).toBe(vectors.chainNext);
    expect(hex(chainRestart(request.recipient, request.line, vectors.restart))).toBe(vectors.chainRestart);
    expect(hex(releaseInfo({ ...vectors.info, identity, leafHash: digest }))).toBe(vectors.infoBytes);
    const sealed = {
      outcome: "released",
      leafHash: digest,
      enc: Buffer.alloc(1120, 4),
      sealed: Buffer.alloc(48, 5),
    } as const;
    expect(hex(outcomeStatement(sealed))).toBe(vectors.released);
    expect(hex(outcomeStatement({ outcome: "cancelled", leafHash: digest, code: "held" }))).toBe(vectors.cancelled);
    expect(hex(orderStatement(digest))).toBe(vectors.order);
  });

  it.each([
    { recipient: "cardmakes" },
    { order: "00000000-0000-4000-8000-00000000000f" },
    { job: "00000000-0000-4000-8000-00000000000f" },
    { attempt: 2 },
    { line: "line-02" },
    { previous: "ff".repeat(32) },
    { key: Buffer.alloc(1216, 9).toString("base64url") },
  ])("releaseIdentity() changes with %j", (change) => {
    expect(releaseIdentity({ ...request, ...change })).not.toEqual(releaseIdentity(request));
  });

  it.each([{ run: "00000000-0000-4000-8000-00000000000f" }, { agreement: "ff".repeat(32) }])(
    "releaseIdentity() does not change with %j, which the desk checks by itself",
    (change) => expect(releaseIdentity({ ...request, ...change })).toEqual(releaseIdentity(request)),
  );

  it("chainStart() tells every pair of recipient and line apart", () => {
    const name = fc.stringMatching(/^[a-z]{1,4}$/);
    fc.assert(
      fc.property(name, name, name, name, (a, b, c, d) => {
        expect(hex(chainStart(a, b)) === hex(chainStart(c, d))).toBe(a === c && b === d);
      }),
    );
  });

  it("refuses digests of another length, and numbers out of range", () => {
    const short = Buffer.alloc(31);
    const info = { attempt: 1, identity: digest, origin: "x", index: 0, leafHash: digest };
    expect(() => chainNext(short, digest)).toThrow(RangeError);
    expect(() => chainNext(digest, short)).toThrow(RangeError);
    expect(() => orderStatement(short)).toThrow(RangeError);
    expect(() => outcomeStatement({ outcome: "cancelled", leafHash: short, code: "held" })).toThrow(RangeError);
    expect(() => releaseInfo({ ...info, identity: short })).toThrow(RangeError);
    expect(() => releaseInfo({ ...info, attempt: -1 })).toThrow(RangeError);
    expect(() => releaseInfo({ ...info, index: 2 ** 53 })).toThrow(RangeError);
    expect(() => releaseInfo({ ...info, origin: "x".repeat(65_536) })).toThrow(RangeError);
    expect(() => releaseIdentity({ ...request, previous: "ff" })).toThrow(RangeError);
  });
});
