import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { drawPhotos } from "./draw-photos.ts";
import { inventForce, writeRows } from "./write-rows.ts";

/** `good` people and `broken` rows make up `rows`; `covert` and `withoutPhoto` count among the good. */
export type ExtractSummary = {
  readonly rows: number;
  readonly good: number;
  readonly broken: number;
  readonly covert: number;
  readonly photos: number;
  readonly withoutPhoto: number;
};

/**
 * Writes `extract.csv` and `photos/` of Exampleshire Police, an invented force of invented people, into a folder.
 * The same seed and number of people give the same bytes.
 */
export async function generateExtract(options: {
  readonly people: number;
  readonly seed: string;
  readonly folder: string;
  readonly onProgress?: (done: number, of: number) => void;
}): Promise<ExtractSummary> {
  const { people, seed, folder, onProgress = () => undefined } = options;
  if (!Number.isSafeInteger(people) || people < 1) throw new RangeError("at least one person is required");
  await mkdir(folder, { recursive: true });
  const force = inventForce({ people, seed });
  const broken = await writeRows(force, join(folder, "extract.csv"));
  const photos = await drawPhotos(force, join(folder, "photos"), onProgress);
  return { rows: people + broken, good: people, broken, covert: force.covert, photos, withoutPhoto: people - photos };
}
