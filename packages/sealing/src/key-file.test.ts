import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createKeyFile, openKeyFile } from "./index.ts";
import { expectAsyncRefusal } from "./test-support.ts";

let folder = "";
let path = "";
const forbiddenFolders: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tipstaff-key-file-"));
  path = join(folder, "key");
});
afterEach(() => rmSync(folder, { recursive: true }));

test("openKeyFile() gives the key that createKeyFile() made, from a file that only its owner can read", async () => {
  const key = await createKeyFile({ path, forbiddenFolders });
  expect(key.length).toBe(32);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(await openKeyFile({ path, forbiddenFolders })).toEqual(key);
});

test("createKeyFile() refuses to overwrite a key file", async () => {
  await createKeyFile({ path, forbiddenFolders });
  const before = readFileSync(path, "utf8");
  await expectAsyncRefusal(() => createKeyFile({ path, forbiddenFolders }), "key-file-exists");
  expect(readFileSync(path, "utf8")).toBe(before);
});

test("openKeyFile() refuses a file that group or others may read", async () => {
  await createKeyFile({ path, forbiddenFolders });
  for (const mode of [0o640, 0o604, 0o660, 0o610]) {
    chmodSync(path, mode);
    await expectAsyncRefusal(() => openKeyFile({ path, forbiddenFolders }), "key-file-exposed");
  }
});

test("openKeyFile() refuses a missing file, a link and a folder", async () => {
  await expectAsyncRefusal(() => openKeyFile({ path, forbiddenFolders }), "key-file-missing");
  await createKeyFile({ path: join(folder, "real"), forbiddenFolders });
  symlinkSync(join(folder, "real"), path);
  await expectAsyncRefusal(() => openKeyFile({ path, forbiddenFolders }), "key-file-exposed");
  await expectAsyncRefusal(() => openKeyFile({ path: folder, forbiddenFolders }), "key-file-exposed");
});

test("both refuse a place inside a forbidden folder, also by way of a link, also before it exists", async () => {
  const data = join(folder, "data");
  const place = { path: join(data, "deep", "key"), forbiddenFolders: [data] };
  await expectAsyncRefusal(() => createKeyFile(place), "key-file-misplaced");
  mkdirSync(join(data, "deep"), { recursive: true });
  await expectAsyncRefusal(() => createKeyFile(place), "key-file-misplaced");
  symlinkSync(join(data, "deep"), join(folder, "innocent"));
  const linked = { path: join(folder, "innocent", "key"), forbiddenFolders: [data] };
  await expectAsyncRefusal(() => createKeyFile(linked), "key-file-misplaced");
  await expectAsyncRefusal(() => openKeyFile(linked), "key-file-misplaced");
  await createKeyFile({ path: join(folder, "database.key"), forbiddenFolders: [data] });
});

test("a passphrase is needed where one was given, and must be the same", async () => {
  const place = { path, forbiddenFolders };
  const key = await createKeyFile({ ...place, passphrase: "correct horse" });
  expect(readFileSync(path, "utf8")).not.toContain(Buffer.from(key).toString("base64url"));
  expect(await openKeyFile({ ...place, passphrase: "correct horse" })).toEqual(key);
  await expectAsyncRefusal(() => openKeyFile(place), "passphrase-required");
  await expectAsyncRefusal(() => openKeyFile({ ...place, passphrase: "correct house" }), "passphrase-wrong");
});

test("openKeyFile() refuses every cut or changed file", async () => {
  await createKeyFile({ path, forbiddenFolders });
  const whole = readFileSync(path, "utf8");
  const changed = [whole.slice(0, -1), whole.replace("/1", "/2"), whole.replace("none", "argon2id"), `${whole}\n`, ""];
  for (const text of [...changed, `${whole.trim()} AAAA\n`, "x".repeat(5000)]) {
    writeFileSync(path, text);
    await expectAsyncRefusal(() => openKeyFile({ path, forbiddenFolders }), "key-file-malformed");
  }
});
