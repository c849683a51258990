import { createHash } from "node:crypto";
import { readSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { type VerifierKey, verifyBytes } from "@tipstaff/ledger";
import { type OrderManifest, orderManifestSchema, orderStatement } from "@tipstaff/release-protocol";
import { BureauError } from "../bureau-error.ts";

/** A manifest of 47,000 jobs is about 25 MB. */
const MAX_MANIFEST_BYTES = 256 * 1024 * 1024;
const MAX_SIGNATURE_LINE = 128;
const CHUNK = 1024 * 1024;
const NEWLINE = 0x0a;

export type OrderHead = {
  readonly manifest: OrderManifest;
  /** Where the ciphertexts begin, in bytes from the start of the file. */
  readonly dataOffset: number;
};

/**
 * Reads and verifies the first two lines of an order file (docs/spec/release-protocol.md, section 6): the manifest, and
 * the force's signature over its digest. Throws `damaged` for anything else.
 */
export async function readOrderHead(file: FileHandle, force: VerifierKey): Promise<OrderHead> {
  const manifestLine = await readLine(file, 0, MAX_MANIFEST_BYTES);
  const signatureLine = await readLine(file, manifestLine.length + 1, MAX_SIGNATURE_LINE);
  const encoded = signatureLine.toString("latin1");
  const signature = Buffer.from(encoded, "base64");
  const digest = createHash("sha256").update(manifestLine).digest();
  const isSigned = signature.toString("base64") === encoded && verifyBytes(force, orderStatement(digest), signature);
  if (!isSigned) throw damaged("its manifest is not signed by the pinned force");
  const manifest = orderManifestSchema.safeParse(parseJson(manifestLine));
  if (!manifest.success) throw damaged("its manifest does not fit the protocol");
  const head = { manifest: manifest.data, dataOffset: manifestLine.length + signatureLine.length + 2 };
  assertPlaces(head, (await file.stat()).size);
  return head;
}

/** Checks every ciphertext against its digest in the signed manifest. */
export async function verifyCiphertexts(file: FileHandle, { manifest, dataOffset }: OrderHead): Promise<void> {
  for (const { offset, length, digest } of manifest.jobs) {
    await readCiphertext(file, { offset: dataOffset + offset, length, digest });
  }
}

/** One job's ciphertext; throws `damaged` when the bytes on disk are not those that the force signed. */
export async function readCiphertext(
  file: FileHandle,
  place: { offset: number; length: number; digest: string },
): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(place.length);
  // At once: by the thread pool the call costs more than reading what lies in the page cache does.
  const bytesRead = readSync(file.fd, bytes, 0, place.length, place.offset);
  const digest = createHash("sha256").update(bytes).digest("hex");
  if (bytesRead !== place.length || digest !== place.digest)
    throw damaged("a ciphertext is not the one that was signed");
  return bytes;
}

function assertPlaces({ manifest, dataOffset }: OrderHead, fileSize: number): void {
  const ids = new Set(manifest.jobs.map(({ job }) => job));
  if (ids.size !== manifest.jobs.length) throw damaged("a job stands in it twice");
  const places = [...manifest.jobs].sort((a, b) => a.offset - b.offset);
  let end = 0;
  for (const { offset, length } of places) {
    if (offset < end) throw damaged("two ciphertexts share bytes");
    end = offset + length;
  }
  if (dataOffset + end !== fileSize) throw damaged("it is cut short, or has bytes that nobody signed");
}

async function readLine(file: FileHandle, start: number, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  while (length <= limit) {
    const chunk = Buffer.alloc(Math.min(CHUNK, limit + 1 - length));
    if (chunk.length === 0) break;
    const { bytesRead } = await file.read(chunk, 0, chunk.length, start + length);
    if (bytesRead === 0) break;
    const end = chunk.subarray(0, bytesRead).indexOf(NEWLINE);
    chunks.push(chunk.subarray(0, end < 0 ? bytesRead : end));
    if (end >= 0) return Buffer.concat(chunks);
    length += bytesRead;
  }
  throw damaged("its first two lines are missing, or too long");
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}

const damaged = (why: string): BureauError => new BureauError("damaged", `The order file is refused: ${why}`);
