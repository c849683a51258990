import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createNoteSigner, edgeRoot, emptyEdge, encodeCheckpoint, extendEdge, signNote } from "@tipstaff/ledger";
import { createFolderStorage } from "@tipstaff/ledger/folder";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));
const signer = createNoteSigner("force.example/log", new Uint8Array(32).fill(7));
let log = "";
let tile = "";
beforeEach(async () => {
  log = await mkdtemp(join(tmpdir(), "tipstaff-verify-"));
  tile = join(log, "tile/0/001");
  const leaves = Array.from({ length: 600 }, (_, n) =>
    new Uint8Array(481)
      .fill(1, 0, 1)
      .fill(n, 1, 2)
      .fill(n >> 8, 2, 3),
  );
  const { edge, files } = extendEdge(emptyEdge, leaves);
  const storage = createFolderStorage(log);
  await storage.writeOnce(files);
  const text = encodeCheckpoint({ origin: signer.name, size: edge.size, root: edgeRoot(edge) });
  await storage.replace({ path: "checkpoint", bytes: signNote(text, [signer]) });
});
afterEach(() => rm(log, { recursive: true, force: true }));

const verify = () => {
  const args = [MAIN, "ledger", "verify", log, "--key", signer.verifierKey];
  return spawnSync(process.execPath, args, { encoding: "utf8", cwd: log });
};

describe("ledger verify", () => {
  test("names the file that is missing, with exit code 1", async () => {
    expect(verify()).toMatchObject({ status: 0, stdout: expect.stringContaining("600 entries verify") });
    await rm(tile);
    expect(verify()).toMatchObject({
      status: 1,
      stdout: expect.stringContaining("DOES NOT VERIFY (missing): tile/0/001"),
    });
  });

  test.each([
    ["a folder", () => mkdir(tile)],
    ["a pipe", async () => spawnSync("mkfifo", [tile])],
  ])("names the file that is %s, and calls it no defect of ours", async (_, make) => {
    await rm(tile);
    await make();
    const { status, stdout, stderr } = verify();
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("tile/0/001 is no plain file");
    expect(stderr).not.toContain("defect");
  });

  test("names the file that is longer than any of a log", async () => {
    await truncate(tile, 2 ** 33);
    const { status, stderr } = verify();
    expect(status).toBe(2);
    expect(stderr).toContain("tile/0/001 is longer than any of a log can be");
    expect(stderr).not.toContain("defect");
  });
});
