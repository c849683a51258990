import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EXAMPLE_TEMPLATES, loadTemplate } from "./load-template.ts";
import { templateDigest } from "./template-digest.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "template-"));
  await cp(join(EXAMPLE_TEMPLATES, "warrant-card"), folder, { recursive: true });
});
afterEach(() => rm(folder, { recursive: true }));

async function editLayout(edit: (source: string) => string): Promise<void> {
  const file = join(folder, "layout.json");
  await writeFile(file, edit(await readFile(file, "utf8")));
}

async function faultsOf(): Promise<string[]> {
  const loaded = await loadTemplate(folder);
  if (loaded.ok) throw new Error("the template was accepted");
  return loaded.faults.map(({ file, key, problem }) => `${file} ${key}: ${problem}`);
}

async function digestOf(): Promise<string> {
  const loaded = await loadTemplate(folder);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  return templateDigest(loaded.template);
}

describe("loadTemplate()", () => {
  it.each(["warrant-card", "staff-pass", "designation-card"])(
    "accepts the %s that comes with the package",
    async (kind) => {
      expect(await loadTemplate(join(EXAMPLE_TEMPLATES, kind))).toMatchObject({
        ok: true,
        template: { layout: { kind } },
      });
    },
  );

  it("tells all faults of a layout together, each with its key", async () => {
    await editLayout((source) =>
      source
        .replace('"paper": "#fdfdfb"', '"paper": "eggshell"')
        .replace('"type": "portrait"', '"type": "portrait", "rotate": 9')
        .replace('"sizePt": 13', '"sizePt": 1300'),
    );
    const faults = await faultsOf();
    expect(faults).toHaveLength(3);
    expect(faults.join("\n")).toMatch(/layout\.json colours\.paper: .*\n?/);
    expect(faults.join("\n")).toMatch(/layout\.json front\.\d+\.sizePt/);
  });

  it("names a font, colour, drawing or placeholder that nothing defines", async () => {
    await editLayout((source) =>
      source
        .replace('"font": "bold"', '"font": "gothic"')
        .replace('"drawing": "crest"', '"drawing": "lion"')
        .replace("{rank}", "{vetting}"),
    );
    const faults = (await faultsOf()).join("\n");
    expect(faults).toContain('"gothic" is not defined; defined: regular, semibold, bold');
    expect(faults).toContain('"lion" is not defined');
    expect(faults).toContain("{vetting} is not a placeholder");
  });

  it("refuses words that do not fit before the first card is made", async () => {
    await editLayout((source) =>
      source.replace('"text": "Warrant number"', '"text": "Warrant number of the person shown here"'),
    );
    expect((await faultsOf()).join()).toMatch(/front\.\d+: its words do not fit/);
  });

  it.each(["../crest.svg", "/etc/passwd.svg", "crest.png", ".hidden.svg", "a/b.svg"])(
    "refuses the drawing file %s",
    async (name) => {
      await editLayout((source) => source.replace('"crest.svg"', JSON.stringify(name)));
      expect((await faultsOf()).join()).toContain("drawings.crest: a plain file name ending in .svg is required");
    },
  );

  it("refuses a drawing that is a link, and one that is not there", async () => {
    await rm(join(folder, "crest.svg"));
    expect(await faultsOf()).toEqual(["crest.svg : is missing, is a link, or cannot be read"]);
    await symlink(join(folder, "lines.svg"), join(folder, "crest.svg"));
    expect(await faultsOf()).toEqual(["crest.svg : is missing, is a link, or cannot be read"]);
  });

  it("refuses a font that is not TrueType", async () => {
    await editLayout((source) =>
      source
        .replace('{ "builtIn": "source-sans-3-bold" }', '{ "file": "own.ttf" }')
        .replace(/"builtIn": "source-sans-3-bold"/, '"file": "own.ttf"'),
    );
    await writeFile(join(folder, "own.ttf"), "wOFF, not a font");
    expect((await faultsOf()).join()).toContain("own.ttf : ");
  });

  it.each([
    ["no folder", async () => rm(join(folder, "layout.json"))],
    ["no JSON", async () => writeFile(join(folder, "layout.json"), "{")],
    ["an empty file", async () => writeFile(join(folder, "layout.json"), "")],
    ["another format", async () => editLayout((source) => source.replace("template/1", "template/2"))],
  ])("refuses %s in place of a layout", async (_, spoil) => {
    await spoil();
    expect((await faultsOf())[0]).toMatch(/^layout\.json/);
  });
});

describe("templateDigest()", () => {
  it("does not see spaces in the layout", async () => {
    const before = await digestOf();
    await editLayout((source) => JSON.stringify(JSON.parse(source)));
    expect(await digestOf()).toBe(before);
  });

  it("changes with one word of the layout and with one stroke of a drawing", async () => {
    const before = await digestOf();
    await editLayout((source) => source.replace("If you find this card", "If you found this card"));
    const reworded = await digestOf();
    const crest = join(folder, "crest.svg");
    await writeFile(crest, (await readFile(crest, "utf8")).replace('r="1.8"', 'r="1.9"'));
    expect(new Set([before, reworded, await digestOf()]).size).toBe(3);
  });
});
