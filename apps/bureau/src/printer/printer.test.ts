import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createPrinter } from "./printer.ts";

const pages = (text: string) => new TextEncoder().encode(text);
let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "printer-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it("print() refuses a blank that holds a card, and leaves the card", async () => {
  const printer = await createPrinter(folder);
  await printer.print("B-1", pages("first"));
  await expect(printer.print("B-1", pages("second"))).rejects.toThrow("EEXIST");
  expect(await readFile(join(folder, "B-1.pdf"), "utf8")).toBe("first");
});

it("print() leaves one file a card", async () => {
  const printer = await createPrinter(folder);
  await printer.print("B-1", pages("first"));
  expect((await readdir(folder)).sort()).toEqual(["B-1.pdf", "spoiled"]);
  await printer.putAside("B-1");
  await printer.putAside("B-2");
  expect(await readdir(join(folder, "spoiled"))).toEqual(["B-1.pdf"]);
});
