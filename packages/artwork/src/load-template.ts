import { constants } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ArtworkError } from "./artwork-error.ts";
import { createComposer } from "./create-composer.ts";
import { type BUILT_IN_FONTS, type Layout, layoutSchema } from "./layout-schema.ts";
import { drawSvg } from "./svg-operators.ts";
import type { Template } from "./template.ts";
import { parseTrueType } from "./truetype.ts";

/** One thing to mend: in which file of the folder, at which key of it (`front.3.font`; empty for the file itself). */
export type TemplateFault = { readonly file: string; readonly key: string; readonly problem: string };

export type LoadedTemplate =
  | { readonly ok: true; readonly template: Template }
  | { readonly ok: false; readonly reason: "template-invalid"; readonly faults: readonly TemplateFault[] };

const LAYOUT_FILE = "layout.json";
const MAX_FILE_BYTES = 4 * 1024 * 1024;
const BUILT_IN: Readonly<Record<(typeof BUILT_IN_FONTS)[number], string>> = {
  "source-sans-3-regular": "400Regular/SourceSans3_400Regular.ttf",
  "source-sans-3-semibold": "600SemiBold/SourceSans3_600SemiBold.ttf",
  "source-sans-3-bold": "700Bold/SourceSans3_700Bold.ttf",
};

/** The templates that come with this package, one folder a kind. */
export const EXAMPLE_TEMPLATES = fileURLToPath(new URL("../templates", import.meta.url));

/**
 * Reads a template folder: `layout.json` with the drawings and fonts that it names, all inside the folder.
 * Whatever is wrong is told at once, as faults; links and special files in the folder are faults too.
 */
export async function loadTemplate(folder: string): Promise<LoadedTemplate> {
  const faults: TemplateFault[] = [];
  const layout = await readLayout(folder, faults);
  if (layout === undefined) return { ok: false, reason: "template-invalid", faults };
  const drawings: Record<string, string> = {};
  const fonts: Record<string, Uint8Array> = {};
  for (const [name, file] of Object.entries(layout.drawings)) {
    const bytes = await readPart(folder, file, faults);
    if (bytes === undefined) continue;
    const source = new TextDecoder().decode(bytes);
    if (passes(file, () => drawSvg(source), faults)) drawings[name] = source;
  }
  for (const [name, font] of Object.entries(layout.fonts)) {
    const bytes = "file" in font ? await readPart(folder, font.file, faults) : await readBuiltIn(font.builtIn);
    const file = "file" in font ? font.file : LAYOUT_FILE;
    if (bytes !== undefined && passes(file, () => parseTrueType(bytes), faults)) fonts[name] = bytes;
  }
  const template: Template = { layout, drawings, fonts };
  // A trial build finds what only the fonts can tell: words that do not fit, glyphs that are missing.
  if (faults.length === 0) passes(LAYOUT_FILE, () => createComposer(template), faults);
  return faults.length > 0 ? { ok: false, reason: "template-invalid", faults } : { ok: true, template };
}

async function readLayout(folder: string, faults: TemplateFault[]): Promise<Layout | undefined> {
  const bytes = await readPart(folder, LAYOUT_FILE, faults);
  if (bytes === undefined) return undefined;
  let content: unknown;
  try {
    content = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    faults.push({ file: LAYOUT_FILE, key: "", problem: "is not JSON in UTF-8" });
    return undefined;
  }
  const parsed = layoutSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) {
    faults.push({ file: LAYOUT_FILE, key: issue.path.map(String).join("."), problem: issue.message });
  }
  return undefined;
}

async function readPart(folder: string, file: string, faults: TemplateFault[]): Promise<Uint8Array | undefined> {
  const fault = (problem: string) => {
    faults.push({ file, key: "", problem });
    return undefined;
  };
  // Without NONBLOCK a named pipe in the folder would hang the reader; NOFOLLOW keeps links from leading outside.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(join(folder, file), flags).catch(() => undefined);
  if (handle === undefined) return fault("is missing, is a link, or cannot be read");
  try {
    const status = await handle.stat();
    if (!status.isFile()) return fault("is not a plain file");
    if (status.size > MAX_FILE_BYTES) return fault(`is larger than ${MAX_FILE_BYTES} bytes`);
    return new Uint8Array(await handle.readFile());
  } finally {
    await handle.close();
  }
}

async function readBuiltIn(name: (typeof BUILT_IN_FONTS)[number]): Promise<Uint8Array> {
  const require = createRequire(import.meta.url);
  const path = join(dirname(require.resolve("@expo-google-fonts/source-sans-3/package.json")), BUILT_IN[name]);
  return new Uint8Array(await readFile(path));
}

function passes(file: string, check: () => unknown, faults: TemplateFault[]): boolean {
  try {
    check();
    return true;
  } catch (error) {
    if (!(error instanceof ArtworkError)) throw error;
    faults.push({ file, key: "", problem: error.message });
    return false;
  }
}
