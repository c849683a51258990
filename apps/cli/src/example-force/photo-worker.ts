import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import sharp from "sharp";
import { z } from "zod";
import { drawFace, type Face } from "./draw-face.ts";
import { drawPhoto } from "./draw-photo.ts";
import { randomStream } from "./random-stream.ts";
import { inventForce } from "./write-rows.ts";

export const photoTaskSchema = z.object({
  seed: z.string(),
  people: z.int().min(1),
  folder: z.string(),
  worker: z.int().min(0),
  workers: z.int().min(1),
});
export type PhotoTask = z.infer<typeof photoTaskSchema>;
export type PhotoProgress = { readonly done: number; readonly photos: number };

const NO_PHOTO_SHARE = 0.005;
const AT_ONCE = 2;
const REPORT_EVERY = 50;
/** Up to here everybody has a face of their own; a larger force shares some, on other walls in other light. */
const OWN_FACES = 2_000;
const FACES_PER_LOOK = 10;

export function hasPhoto(seed: string, index: number): boolean {
  return !randomStream(seed, "photo", index).chance(NO_PHOTO_SHARE);
}

const slotOf = (seed: string, index: number): number => randomStream(seed, "face", index).between(1, FACES_PER_LOOK);

/** People who share a face are drawn by one worker, so that no face, a megabyte, is kept twice. */
const workerOf = ({ seed, people, workers }: PhotoTask, index: number): number =>
  (people <= OWN_FACES ? index : slotOf(seed, index)) % workers;

async function drawShare(task: PhotoTask, report: (progress: PhotoProgress) => void): Promise<void> {
  const force = inventForce(task);
  const faces = new Map<string, Promise<Face>>();
  const faceOf = (index: number): Promise<Face> => {
    const { look } = force.person(index);
    if (force.people <= OWN_FACES) return drawFace(`${task.seed} ${index}`, look);
    const key = `${task.seed} ${look.tone} ${look.feminine} ${slotOf(task.seed, index)}`;
    const face = faces.get(key) ?? drawFace(key, look);
    faces.set(key, face);
    return face;
  };
  await mkdir(task.folder, { recursive: true });
  let [done, photos, next] = [0, 0, 0];
  const lane = async () => {
    while (next < force.people) {
      const index = next;
      next += 1;
      if (workerOf(task, index) !== task.worker) continue;
      if (hasPhoto(task.seed, index)) {
        const { ending, bytes } = await drawPhoto(await faceOf(index), task.seed, index);
        await writeFile(join(task.folder, `${force.person(index).payNumber}.${ending}`), bytes);
        photos += 1;
      }
      done += 1;
      if (done % REPORT_EVERY === 0) report({ done, photos });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  report({ done, photos });
}

// No two pictures are alike: what libvips keeps of one is of no use to the next.
sharp.cache(false);
const port = parentPort;
if (port !== null) await drawShare(photoTaskSchema.parse(workerData), (progress) => port.postMessage(progress));
