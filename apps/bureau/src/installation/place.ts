import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { BureauError } from "../bureau-error.ts";

/** All the places below the bureau's folder. */
export type Place = ReturnType<typeof openPlace>;

export function openPlace(folder: string) {
  const root = resolve(folder);
  const at = (...parts: string[]) => join(root, ...parts);
  return {
    root,
    settings: at("bureau.json"),
    pins: at("pins.json"),
    token: at("token"),
    keys: at("keys"),
    agreements: at("agreements"),
    orders: at("orders"),
    store: at("bureau.db"),
  };
}

const settingsSchema = z.strictObject({
  version: z.literal(1),
  recipient: z.string(),
  lines: z.int().min(1).max(1000),
  /** The folder that stands for plastic: page files leave the bureau's hands there. */
  printer: z.string(),
  /** Begins every blank's serial, so that two installations never share one. */
  blankPrefix: z.string(),
});
export type BureauSettings = z.infer<typeof settingsSchema>;

/** Reads what `init` wrote; throws `not-initialised` or `damaged`. */
export function readSettings(place: Place): BureauSettings {
  if (!existsSync(place.settings)) {
    throw new BureauError("not-initialised", `There is no bureau in ${place.root}. Run: bureau init`);
  }
  return readJson(place.settings, settingsSchema);
}

export function readJson<T>(file: string, schema: z.ZodType<T>): T {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw new BureauError("damaged", `${file} is not JSON. Restore it from a backup`, { cause });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const places = parsed.error.issues.map((issue) => issue.path.join(".") || "the whole").join(", ");
  throw new BureauError("damaged", `${file} does not fit: ${places}. Restore it from a backup`);
}

/** The names of this bureau's lines. */
export function lineNames(settings: { readonly lines: number }): string[] {
  return Array.from({ length: settings.lines }, (_, at) => `line-${String(at + 1).padStart(2, "0")}`);
}
