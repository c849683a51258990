import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { OrderManifest } from "@tipstaff/release-protocol";
import { DeskError } from "../server/desk-error.ts";

export type ManifestHead = Omit<OrderManifest, "jobs">;
type ManifestJob = OrderManifest["jobs"][number];

const SIGNATURE_LINE_LENGTH = 89;
const LARGEST = { offset: Number.MAX_SAFE_INTEGER, length: 0xffff_ffff };

/** Places of an order's file: finished, and while it is written. */
export function orderFilePaths(folder: string, order: string): { finished: string; part: string } {
  return { finished: join(folder, `${order}.order`), part: join(folder, `${order}.part`) };
}

/** Bytes that line 1 may need; it is filled with spaces up to that, since its length must be known before its content. */
export function manifestRoom(
  head: ManifestHead,
  jobs: { count: number; longestCategories: readonly string[] },
): number {
  const digest = "0".repeat(64);
  const job: ManifestJob = {
    job: "00000000-0000-0000-0000-000000000000",
    ...{ templateDigest: digest, categories: [...jobs.longestCategories], digest },
    ...LARGEST,
  };
  return JSON.stringify({ ...head, jobs: [] }).length + jobs.count * (JSON.stringify(job).length + 1);
}

export type OrderFile = {
  /** Appends one ciphertext; answers its place for the manifest. */
  readonly append: (ciphertext: Uint8Array) => Promise<{ offset: number; length: number; digest: string }>;
  /**
   * Writes the two lines, makes the file durable under its final name and answers its SHA-256. `sign` is given the
   * digest (hex) of line 1 and answers the signature.
   */
  readonly finish: (manifest: OrderManifest, sign: (digest: string) => Promise<Uint8Array>) => Promise<string>;
  readonly abandon: () => Promise<void>;
};

/** Begins an order file (docs/spec/release-protocol.md, section 6). Nothing is seen under its final name until `finish`. */
export async function createOrderFile(folder: string, order: string, room: number): Promise<OrderFile> {
  const { finished, part } = orderFilePaths(folder, order);
  const file = await open(part, "wx", 0o600);
  const start = room + 1 + SIGNATURE_LINE_LENGTH;
  let offset = 0;
  return {
    append: async (ciphertext) => {
      const place = { offset, length: ciphertext.length };
      await writeAll(file, ciphertext, start + offset);
      offset += ciphertext.length;
      return { ...place, digest: createHash("sha256").update(ciphertext).digest("hex") };
    },
    finish: async (manifest, sign) => {
      const line = Buffer.from(JSON.stringify(manifest).padEnd(room, " "), "utf8");
      if (line.length !== room) throw new DeskError("broken-invariant", "A manifest is longer than its room");
      const signature = await sign(createHash("sha256").update(line).digest("hex"));
      const lines = `${line.toString("utf8")}\n${Buffer.from(signature).toString("base64")}\n`;
      if (lines.length !== start) throw new DeskError("broken-invariant", "An order's signature is of another length");
      await writeAll(file, Buffer.from(lines, "utf8"), 0);
      await file.sync();
      await file.close();
      await rename(part, finished);
      await syncFolder(dirname(finished));
      return digestOfFile(finished);
    },
    abandon: async () => {
      await file.close().catch(() => undefined);
      await rm(part, { force: true });
    },
  };
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, position + written);
    written += bytesWritten;
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function digestOfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(chunk);
  return hash.digest("hex");
}
