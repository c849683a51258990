import {
  DeleteObjectsCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { equalBytes } from "../bytes.ts";
import { LedgerError } from "../error.ts";
import { fileRulesOf, MAX_FILE_BYTES } from "../storage/file-rules.ts";
import { inParallel } from "../storage/in-parallel.ts";
import { CHECKPOINT_PATH, type LogStorage } from "../storage/tile-storage.ts";
import type { LogFile } from "../tree/edge.ts";

export type S3StorageOptions = {
  /** Made by the caller: region, endpoint, credentials and retries are its own. */
  readonly client: S3Client;
  readonly bucket: string;
  /** What stands before the path of every file, as "logs/cards/". Nothing when left out. */
  readonly prefix?: string;
  /** Longest wait for one object, in milliseconds, with the client's own retries: 30,000 when left out. */
  readonly timeoutMs?: number;
};

/** Two writers of one object at the same instant: the store says 409, and wants to be asked again. */
const CONFLICT_TRIES = 5;
const CONFLICT_PAUSE_MS = 50;

type Found = { readonly bytes: Uint8Array; readonly etag: string | undefined };

/**
 * Keeps a log's files as objects of an S3 bucket. The store must honour `If-None-Match: *` and `If-Match` on PUT (S3 has
 * since 2024), for on these rests that nothing is overwritten. Rejects with `tile-conflict`, or with `storage-failed`.
 */
export const createS3Storage = (options: S3StorageOptions): LogStorage => {
  const bucket = openBucket(options);
  // The ETag of the checkpoint as this process last saw it; `undefined` in it: there was none.
  const seen = new Map<string, string | undefined>();
  const readFound = async (path: string): Promise<Found | undefined> => {
    const found = await bucket.get(path);
    if (path === CHECKPOINT_PATH) seen.set(path, found?.etag);
    return found;
  };
  return {
    read: async (path) => (await readFound(path))?.bytes,
    writeOnce: (files) =>
      inParallel(files, async (file) => {
        if ((await bucket.put(file, { IfNoneMatch: "*" })).done) return;
        const found = await bucket.get(file.path);
        if (found && equalBytes(found.bytes, file.bytes)) return;
        throw new LedgerError(
          "tile-conflict",
          `the log's file ${file.path} exists with other content; it is left as it is`,
        );
      }),
    replace: async (file) => {
      if (!seen.has(file.path)) seen.set(file.path, (await bucket.get(file.path))?.etag);
      const etag = seen.get(file.path);
      // Whatever happens below, what was seen is no longer sure.
      seen.delete(file.path);
      const { done, etag: next } = await bucket.put(
        file,
        etag === undefined ? { IfNoneMatch: "*" } : { IfMatch: etag },
      );
      if (done) {
        if (next !== undefined) seen.set(file.path, next);
        return;
      }
      // A retry of the client's may have met its own first try.
      const found = await bucket.get(file.path);
      if (found && equalBytes(found.bytes, file.bytes)) return;
      throw failed(`${file.path} was replaced by another writer meanwhile`);
    },
    dropPartials: (fullPaths) => inParallel(fullPaths, (path) => bucket.removeBelow(`${path}.p/`)),
  };
};

type Condition = { readonly IfNoneMatch: string } | { readonly IfMatch: string };

type Bucket = { readonly client: S3Client; readonly name: string; readonly prefix: string; readonly timeoutMs: number };

const openBucket = ({ client, bucket: name, prefix = "", timeoutMs = 30_000 }: S3StorageOptions) => {
  const bucket: Bucket = { client, name, prefix, timeoutMs };
  return {
    get: (path: string) => getObject(bucket, path),
    put: (file: LogFile, condition: Condition) => putObject(bucket, file, condition),
    removeBelow: (folder: string) => removeBelow(bucket, folder),
  };
};

const limitOf = ({ timeoutMs }: Bucket) => ({ abortSignal: AbortSignal.timeout(timeoutMs) });

const getObject = async (bucket: Bucket, path: string): Promise<Found | undefined> => {
  const { client, name: Bucket, prefix } = bucket;
  try {
    return await guarded("read", path, async () => {
      const limit = limitOf(bucket);
      const output = await client.send(new GetObjectCommand({ Bucket, Key: prefix + path }), limit);
      return { bytes: await readBody(output, limit.abortSignal), etag: output.ETag };
    });
  } catch (error) {
    // A bucket that is gone is no empty log.
    const isAbsent = error instanceof LedgerError && statusOf(error.cause) === 404;
    if (isAbsent && wordsOf(error.cause) !== "NoSuchBucket") return undefined;
    throw error;
  }
};

/** `done: false` where the condition does not hold. */
const putObject = async (
  bucket: Bucket,
  { path, bytes }: LogFile,
  condition: Condition,
): Promise<{ done: boolean; etag?: string | undefined }> => {
  const { client, name: Bucket, prefix } = bucket;
  const rules = fileRulesOf(path);
  const served = rules && { ContentType: rules.contentType, CacheControl: rules.cacheControl };
  const input = { Bucket, Key: prefix + path, Body: bytes, ...served, ...condition };
  for (let tries = 1; ; tries++) {
    try {
      const { ETag } = await client.send(new PutObjectCommand(input), limitOf(bucket));
      return { done: true, etag: ETag };
    } catch (error) {
      const status = statusOf(error);
      // With If-Match, 404 says that the object is gone.
      if (status === 412 || (status === 404 && "IfMatch" in condition)) return { done: false };
      if (status !== 409 || tries >= CONFLICT_TRIES)
        throw failed(`${path} cannot be written: ${wordsOf(error)}`, error);
    }
    await new Promise((resolve) => setTimeout(resolve, CONFLICT_PAUSE_MS * tries));
  }
};

const removeBelow = (bucket: Bucket, folder: string): Promise<void> =>
  guarded("removed", folder, async () => {
    const { client, name: Bucket, prefix } = bucket;
    const list = new ListObjectsV2Command({ Bucket, Prefix: prefix + folder });
    const { Contents = [] } = await client.send(list, limitOf(bucket));
    const Objects = Contents.flatMap(({ Key }) => (Key?.startsWith(prefix + folder) ? [{ Key }] : []));
    if (Objects.length === 0) return;
    const command = new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } });
    const { Errors = [] } = await client.send(command, limitOf(bucket));
    if (Errors.length > 0) throw failed(`${Errors.length} partial files could not be removed`);
  });

const readBody = async ({ Body, ContentLength }: GetObjectCommandOutput, signal: AbortSignal): Promise<Uint8Array> => {
  if (Body === undefined || ContentLength === undefined) throw failed("an object came without a body or a length");
  const end = (): void => {
    if ("destroy" in Body && typeof Body.destroy === "function") Body.destroy(new Error("too slow, or too long"));
  };
  if (ContentLength > MAX_FILE_BYTES) {
    end();
    throw failed("an object is longer than any file of a log can be");
  }
  signal.addEventListener("abort", end, { once: true });
  try {
    const bytes = await Body.transformToByteArray();
    if (bytes.length !== ContentLength) throw failed("an object came shorter or longer than its length says");
    return bytes;
  } finally {
    signal.removeEventListener("abort", end);
  }
};

const failed = (what: string, cause?: unknown): LedgerError =>
  new LedgerError("storage-failed", `the log's bucket: ${what}`, { cause });

const guarded = async <T>(verb: string, path: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    if (error instanceof LedgerError) throw error;
    throw failed(`${path} cannot be ${verb}: ${wordsOf(error)}`, error);
  }
};

const statusOf = (error: unknown): number | undefined => {
  if (!(error instanceof Error && "$metadata" in error)) return undefined;
  const metadata = error.$metadata;
  const known = typeof metadata === "object" && metadata !== null && "httpStatusCode" in metadata;
  return known && typeof metadata.httpStatusCode === "number" ? metadata.httpStatusCode : undefined;
};

/** The store's own name of the fault: its message may hold the bucket's owner or signed headers. */
const wordsOf = (error: unknown): string => (error instanceof Error ? error.name : "unknown fault");
