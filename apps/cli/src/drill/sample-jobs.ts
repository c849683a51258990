import { closeSync, openSync, readSync } from "node:fs";
import { type OrderManifest, orderManifestSchema } from "@tipstaff/release-protocol";
import { encodeJobContext } from "@tipstaff/sealing";
import { createJsonSample } from "./json-sample.ts";

const SAMPLED_JOBS = 8;
const CHUNK_BYTES = 1 << 20;
const NEWLINE = 0x0a;

export type SealedSample = { readonly context: Uint8Array; readonly sealed: Buffer };

/** Reads a few sealed jobs of an order file with the contexts that anybody can rebuild from its manifest. */
export function sampleJobs(orderFile: string): SealedSample[] {
  const handle = openSync(orderFile, "r");
  try {
    const { manifest, dataOffset } = readHead(handle);
    return manifest.jobs.map((job) => {
      const sealed = Buffer.alloc(job.length);
      readSync(handle, sealed, 0, job.length, dataOffset + job.offset);
      return { context: contextOf(manifest, job), sealed };
    });
  } finally {
    closeSync(handle);
  }
}

/** The manifest with its first jobs alone: it may name 47,000. `dataOffset`: where the ciphertexts begin. */
function readHead(handle: number): { manifest: OrderManifest; dataOffset: number } {
  const sample = createJsonSample(SAMPLED_JOBS);
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  let lines = 0;
  let read = 0;
  for (let length = 1; length > 0; read += length) {
    length = readSync(handle, chunk, 0, chunk.length, read);
    for (let at = 0; at < length; ) {
      const newline = chunk.subarray(0, length).indexOf(NEWLINE, at);
      const end = newline < 0 ? length : newline;
      if (lines === 0) sample.add(chunk.subarray(at, end));
      at = end + 1;
      if (newline >= 0) lines += 1;
      if (lines === 2) return { manifest: orderManifestSchema.parse(sample.value()), dataOffset: read + at };
    }
  }
  throw new Error("an order file has two lines before its ciphertexts");
}

function contextOf(manifest: OrderManifest, job: OrderManifest["jobs"][number]): Uint8Array {
  return encodeJobContext({
    force: manifest.force,
    recipient: manifest.recipient,
    order: manifest.order,
    job: job.job,
    agreementDigest: manifest.agreement,
    templateDigest: job.templateDigest,
    categories: job.categories,
  });
}
