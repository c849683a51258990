import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { type Composer, createComposer, loadTemplate } from "@tipstaff/artwork";
import { sealJob } from "@tipstaff/sealing";
import type { SealInput, SealOutput } from "./seal-pool.ts";

/** Runs in a worker thread: composes faces and seals them. Clear pages exist here only, and only in memory. */
const { templates }: { templates: string } = workerData;
const composers = new Map<string, Promise<Composer>>();

function composerFor(kind: string): Promise<Composer> {
  const known = composers.get(kind);
  if (known !== undefined) return known;
  const made = loadTemplate(join(templates, kind)).then((loaded) => {
    if (!loaded.ok) throw new Error(`the template ${kind} has faults`);
    return createComposer(loaded.template);
  });
  composers.set(kind, made);
  return made;
}

async function seal({ kind, person, head, context, contentKey }: SealInput): Promise<SealOutput> {
  const composer = await composerFor(kind);
  const card = composer.compose({ person });
  if (!card.ok) return { ok: false, reason: card.reason };
  const sealed = sealJob({ contentKey, context, head, pages: card.pdf });
  card.pdf.fill(0);
  person.portrait.fill(0);
  contentKey.fill(0);
  return { ok: true, sealed };
}

parentPort?.on("message", async ({ id, inputs }: { id: number; inputs: SealInput[] }) => {
  try {
    const outputs: SealOutput[] = [];
    for (const input of inputs) outputs.push(await seal(input));
    const buffers = outputs.flatMap((output) => (output.ok ? [output.sealed.buffer] : []));
    parentPort?.postMessage(
      { id, outputs },
      buffers.filter((buffer) => buffer instanceof ArrayBuffer),
    );
  } catch (error) {
    // Only the words: an error may hold what it failed on.
    parentPort?.postMessage({ id, failed: error instanceof Error ? error.name : "failed" });
  }
});
