import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createNoteSigner } from "@tipstaff/ledger";
import { afterAll, expect, test } from "vitest";
import { z } from "zod";
import { serveAll, startServing, tipstaff } from "./command-line.ts";

/** For a machine that does much else at once. */
const PATIENCE = { seconds: 150 };
const ORIGIN = "police.example/tipstaff/log";

const place = mkdtempSync(join(tmpdir(), "tipstaff-witnessed-"));
const home = join(place, "home");
const tiles = join(home, "ledger", "tiles");
const running: { stop: () => Promise<void> }[] = [];
afterAll(async () => {
  for (const { stop } of running.reverse()) await stop();
  rmSync(place, { recursive: true, force: true });
});

const at = async (...args: string[]) => {
  const { code, stdout, stderr } = await tipstaff(["--home", home, ...args], PATIENCE);
  return { code, out: stdout.trim(), stderr };
};
const done = async (...args: string[]): Promise<string> => {
  const { code, out, stderr } = await at(...args);
  if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}: ${stderr}`);
  return out;
};
const policyOf = (name: string, ...lines: string[]): string => {
  const file = join(place, name);
  writeFileSync(file, `${lines.join("\n")}\n`);
  return file;
};
const publishedSize = (): number => Number(readFileSync(join(tiles, "checkpoint"), "utf8").split("\n")[1]);
const witnessSchema = z.object({ verifierKey: z.string(), url: z.string() });

/** The desk takes the policy from a file that its configuration names. */
function nameWitnessPolicy(file: string): void {
  const configFile = join(home, "desk", "config.json");
  const config = z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(configFile, "utf8")));
  writeFileSync(configFile, JSON.stringify({ ...config, witnessPolicyFile: file }));
}

test("a new force's log is witnessed and verified under the key that the command line prints, and under no other", async () => {
  await done("init", "--origin", ORIGIN);
  const key = await done("ledger", "key");
  expect(key).toMatch(/^police\.example\/tipstaff\/log\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+$/);
  const own = await startServing(
    ["ledger", "witness", "--dir", join(place, "witness"), "--name", "federation.example/1", "--log", key],
    PATIENCE,
  );
  running.push(own);
  const witness = witnessSchema.parse(JSON.parse(own.ready));
  const asks = [`witness federation ${witness.verifierKey} ${witness.url}`, "quorum federation"];
  const policy = policyOf("policy", `log ${key}`, ...asks);
  nameWitnessPolicy(policy);
  const size = publishedSize();

  running.push(await serveAll(home, PATIENCE));
  await done("keyholder", "allow", "witnesses", policy);
  await done("ledger", "census");
  for (const until = Date.now() + PATIENCE.seconds * 1000; publishedSize() === size && Date.now() < until; ) {
    await sleep(200);
  }
  expect(publishedSize()).toBeGreaterThan(size);

  const verifyBy = (name: string, ...lines: string[]) =>
    at("ledger", "verify", tiles, "--policy", policyOf(name, ...lines));
  const other = createNoteSigner(ORIGIN, new Uint8Array(32).fill(3)).verifierKey;
  const [good, alone, strange] = await Promise.all([
    verifyBy("policy", `log ${key}`, ...asks),
    verifyBy("alone", `log ${key}`, "quorum none"),
    verifyBy("other", `log ${other}`, ...asks),
  ]);
  const verifies = /^police\.example\/tipstaff\/log: \d+ entries verify/;
  expect([good.code, good.out]).toEqual([0, expect.stringMatching(verifies)]);
  expect(good.out).toContain("(witnessed by federation)");
  expect(good.out).toContain("Policy: fulfilled.");
  expect([alone.code, alone.out]).toEqual([0, expect.stringMatching(verifies)]);
  expect([strange.code, strange.out]).toEqual([1, expect.stringMatching(/^DOES NOT VERIFY .*key-id-mismatch/)]);
}, 600_000);
