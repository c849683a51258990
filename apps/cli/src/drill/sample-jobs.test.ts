import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { sampleJobs } from "./sample-jobs.ts";

const folder = mkdtempSync(join(tmpdir(), "tipstaff-jobs-"));
afterAll(() => rmSync(folder, { recursive: true }));

const digest = "0".repeat(64);
const id = "00000000-0000-4000-8000-000000000000";
const LENGTH = 100;

function orderOf(count: number): { manifest: string; ciphertexts: Buffer } {
  const jobs = Array.from({ length: count }, (_, place) => ({
    job: id,
    templateDigest: digest,
    categories: ["pd:Name", "pd:Picture"],
    offset: place * LENGTH,
    length: LENGTH,
    digest,
  }));
  const instants = { createdAt: "2026-01-01T00:00:00.000Z", expiresAt: "2026-02-01T00:00:00.000Z" };
  const head = { version: 1, suite: "A256GCM", force: "force", recipient: "cardmaker", order: id, agreement: digest };
  return { manifest: JSON.stringify({ ...head, ...instants, jobs }), ciphertexts: randomBytes(count * LENGTH) };
}

function sample(text: string, ciphertexts: Buffer) {
  const file = join(folder, "order");
  writeFileSync(file, Buffer.concat([Buffer.from(text), ciphertexts]));
  return sampleJobs(file);
}

describe("sampleJobs()", () => {
  it("reads the first jobs, however many the manifest names and however much room it was given", () => {
    for (const [count, padding] of [
      [3, 0],
      [20_000, 3 << 20],
    ] as const) {
      const { manifest, ciphertexts } = orderOf(count);
      const found = sample(`${manifest}${" ".repeat(padding)}\nc2lnbmF0dXJl\n`, ciphertexts);
      const expected = Array.from({ length: Math.min(count, 8) }, (_, place) =>
        ciphertexts.subarray(place * LENGTH, (place + 1) * LENGTH),
      );
      expect(found.map(({ sealed }) => sealed.toString("hex"))).toEqual(
        expected.map((sealed) => sealed.toString("hex")),
      );
    }
  });

  it("refuses a file without its two lines, and a manifest that does not fit the protocol", () => {
    const { manifest } = orderOf(1);
    expect(() => sample(`${manifest}\n`, Buffer.alloc(3000, 1))).toThrow("two lines");
    expect(() => sample(`{"jobs":[]}\nc2ln\n`, Buffer.alloc(0))).toThrow();
  });
});
