import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ExtractSummary, generateExtract } from "./index.ts";
import { inventForce } from "./write-rows.ts";

const PEOPLE = 120;
let folders: [string, string];
let summary: ExtractSummary;

beforeAll(async () => {
  const root = await mkdtemp(join(tmpdir(), "example-force-"));
  folders = [join(root, "one"), join(root, "two")];
  summary = await generateExtract({ people: PEOPLE, seed: "test", folder: folders[0] });
  await generateExtract({ people: PEOPLE, seed: "test", folder: folders[1] });
});
afterAll(() => rm(join(folders[0], ".."), { recursive: true }));

async function digests(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(
    files.sort().map(async (file) => {
      const digest = createHash("sha256")
        .update(await readFile(file))
        .digest("hex");
      return `${file.slice(folder.length)} ${digest}`;
    }),
  );
}

describe("generateExtract()", () => {
  it("gives the same bytes for the same seed, photographs included", async () => {
    expect(await digests(folders[1])).toEqual(await digests(folders[0]));
  });

  it("writes exactly the rows and photographs that it reports", async () => {
    const text = await readFile(join(folders[0], "extract.csv"), "utf8");
    const photos = await readdir(join(folders[0], "photos"));
    expect(text.startsWith("\uFEFFPay No,")).toBe(true);
    expect(text.split("\r\n")).toHaveLength(1 + summary.rows + 1);
    expect(summary.good + summary.broken).toBe(summary.rows);
    expect(photos).toHaveLength(summary.photos);
    expect(summary.photos + summary.withoutPhoto).toBe(PEOPLE);
  });

  it("gives every photograph a file name that is one person's pay number, and bytes of its own", async () => {
    const force = inventForce({ people: PEOPLE, seed: "test" });
    const numbers = new Set(Array.from({ length: PEOPLE }, (_, index) => force.person(index).payNumber));
    const photos = await readdir(join(folders[0], "photos"));
    for (const photo of photos) expect(numbers).toContain(photo.replace(/\.(jpg|png|webp)$/, ""));
    expect(new Set((await digests(join(folders[0], "photos"))).map((row) => row.split(" ")[1])).size).toBe(
      photos.length,
    );
  });

  it("leaves metadata in some photographs, for the import to remove", async () => {
    const folder = join(folders[0], "photos");
    const found = await Promise.all((await readdir(folder)).map((name) => sharp(join(folder, name)).metadata()));
    expect(found.some(({ exif }) => exif?.includes("Specimen"))).toBe(true);
    expect(found.some(({ orientation }) => (orientation ?? 1) > 1)).toBe(true);
  });

  it("refuses a force of nobody", async () => {
    await expect(generateExtract({ people: 0, seed: "test", folder: folders[0] })).rejects.toThrow(RangeError);
  });
});

describe("inventForce()", () => {
  it("gives no two of 47,000 people the same pay, collar or warrant number", () => {
    const force = inventForce({ people: 47_000, seed: "many" });
    const [pay, collar, warrant] = [new Set<string>(), new Set<string>(), new Set<string>()];
    let officers = 0;
    for (let index = 0; index < force.people; index++) {
      const person = force.person(index);
      pay.add(person.payNumber);
      collar.add(person.collarNumber);
      if (person.warrantNumber === "") continue;
      officers += 1;
      warrant.add(person.warrantNumber);
    }
    expect([pay.size, collar.size, warrant.size]).toEqual([47_000, 47_000, officers]);
    expect([...pay].every((number) => number.startsWith("0") && !warrant.has(number))).toBe(true);
  });

  it("has a few covert posts: 5 in 1,000, and never fewer than 3 in a force of 100 or 2 in one of 20", () => {
    const covert = (people: number) => {
      const force = inventForce({ people, seed: "covert" });
      const posts = Array.from({ length: people }, (_, index) => force.person(index).postSensitivity);
      return [force.covert, posts.filter((post) => post === "covert").length];
    };
    expect(covert(20)).toEqual([2, 2]);
    expect(covert(60)).toEqual([2, 2]);
    expect(covert(100)).toEqual([3, 3]);
    expect(covert(2_000)).toEqual([10, 10]);
  });

  it("gives nobody a number, a postcode or an address that could be a real person's", () => {
    const force = inventForce({ people: 500, seed: "real" });
    for (let index = 0; index < force.people; index++) {
      const person = force.person(index);
      expect(person.mobile).toMatch(/^07700 900\d{3}$/);
      expect(person.niNumber).toMatch(/^QQ\d{6}[A-D]$/);
      expect(person.postcode).toMatch(/^XQ\d{1,2} \d[A-Z]{2}$/);
      expect(person.workEmail).toMatch(/^[a-z.-]+\d+@exampleshire-police\.example$/);
    }
  });

  it("invents other people from another seed", () => {
    const [one, two] = ["a", "b"].map((seed) => inventForce({ people: 50, seed }).person(7));
    expect(one).not.toEqual(two);
  });
});
