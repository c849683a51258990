import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { recordedReleases } from "./recorded-releases.ts";
import { WINDOW_BYTES } from "./windows.ts";

const folder = mkdtempSync(join(tmpdir(), "tipstaff-recorded-"));
afterAll(() => rmSync(folder, { recursive: true }));

const digest = "0".repeat(64);
const base64 = (length: number) => randomBytes(length).toString("base64url");
const idOf = (job: number) => `00000000-0000-4000-8000-${String(job).padStart(12, "0")}`;

const requestOf = (job: number, key = base64(1216)) =>
  JSON.stringify({
    version: 1,
    recipient: "cardmaker",
    agreement: digest,
    run: idOf(0),
    order: idOf(0),
    job: idOf(job),
    attempt: 1,
    line: "L01",
    previous: digest,
    key,
  });
const answerOf = (job: number, sealed = base64(48)) =>
  JSON.stringify({
    outcome: "released",
    job: idOf(job),
    attempt: 1,
    origin: "force.example/log",
    index: job,
    leaf: base64(40),
    proof: [],
    checkpoint: 'a line with "quotes", {braces} and \\',
    revealed: [],
    enc: base64(1120),
    sealed,
    signature: base64(64),
  });

function read(...parts: (string | Buffer)[]) {
  const recording = join(folder, "recording");
  writeFileSync(recording, Buffer.concat(parts.map((part) => Buffer.from(part))));
  return recordedReleases(recording);
}

describe("recordedReleases()", () => {
  it("pairs each answer with its request, among other bytes and in another window", () => {
    const key = randomBytes(1216);
    const sealed = randomBytes(48);
    const found = read(
      requestOf(1, key.toString("base64url")),
      requestOf(2),
      Buffer.alloc(WINDOW_BYTES),
      `HTTP/1.1 200 OK\r\n\r\n${answerOf(1, sealed.toString("base64url"))}`,
    );
    expect(found.map((release) => [release.half, release.sealed])).toEqual([
      [key.subarray(-32).toString("base64url"), sealed],
    ]);
  });

  it("passes over a message that another cuts in two, an answer without its request, and a manifest", () => {
    const [cut, rest] = [requestOf(3).slice(0, 200), requestOf(3).slice(200)];
    const manifest = `{"version":1,"suite":"A256GCM","jobs":[${'{"job":"x"},'.repeat(200_000)}`;
    expect(read(cut, answerOf(3), rest, answerOf(4), manifest)).toEqual([]);
    expect(read(cut, answerOf(3), rest, answerOf(4), manifest, requestOf(5), answerOf(5))).toHaveLength(1);
  });
});
