import { S3Client } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createS3Storage } from "./s3-storage.ts";
import { startS3Server } from "./test-s3-server.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array | undefined): string | undefined => data && new TextDecoder().decode(data);
const failed = expect.objectContaining({ code: "storage-failed" });
const conflict = expect.objectContaining({ code: "tile-conflict" });
const tile = { path: "tile/0/x001/067", bytes: bytes("hashes") };
const checkpoint = (content: string) => ({ path: "checkpoint", bytes: bytes(content) });

let server: Awaited<ReturnType<typeof startS3Server>>;
let client: S3Client;
beforeEach(async () => {
  server = await startS3Server();
  const credentials = { accessKeyId: "test-key", secretAccessKey: "test-secret" };
  client = new S3Client({ endpoint: server.endpoint, region: "eu-west-2", credentials, forcePathStyle: true });
});
afterEach(async () => {
  client.destroy();
  await server.stop();
  expect(server.unexpected).toEqual([]);
});
const open = (more: { timeoutMs?: number } = {}) =>
  createS3Storage({ client, bucket: server.bucket, prefix: "logs/cards/", ...more });

describe("createS3Storage()", () => {
  test("writes files once below its prefix, as they are to be served, and takes the same again", async () => {
    const storage = open();
    await storage.writeOnce([tile, { path: "000.p/3", bytes: bytes("openings") }]);
    await open().writeOnce([tile, tile]);
    expect(text(await storage.read(tile.path))).toBe("hashes");
    expect(await storage.read("tile/0/000")).toBeUndefined();
    const headers = {
      "content-type": "application/octet-stream",
      "cache-control": "public, max-age=31536000, immutable",
    };
    expect(server.objects.get("logs/cards/tile/0/x001/067")?.headers).toEqual(headers);
    expect(server.objects.get("logs/cards/000.p/3")?.headers["cache-control"]).toBe("");
  });

  test("refuses other content for a file that exists, and leaves it", async () => {
    await open().writeOnce([tile]);
    await expect(open().writeOnce([{ ...tile, bytes: bytes("other") }])).rejects.toThrow(conflict);
    expect(text(await open().read(tile.path))).toBe("hashes");
  });

  test("lets one of several racing writers win, and the others see the conflict", async () => {
    const write = (content: string) => open().writeOnce([{ ...tile, bytes: bytes(content) }]);
    const results = await Promise.allSettled(["a", "b", "c", "d"].map(write));
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  test("takes a bucket that is gone for no empty log", async () => {
    server.fail("GET", { status: 404, code: "NoSuchBucket" });
    await expect(open().read("checkpoint")).rejects.toThrow(failed);
    expect(await open().read("checkpoint")).toBeUndefined();
  });

  test("asks again after a 409, and after a 503", async () => {
    server.fail("PUT", { status: 409, code: "ConditionalRequestConflict" }, 2);
    server.fail("PUT", { status: 503, code: "SlowDown" });
    await open().writeOnce([tile]);
    expect(text(await open().read(tile.path))).toBe("hashes");
    server.fail("GET", { status: 503, code: "SlowDown" });
    expect(text(await open().read(tile.path))).toBe("hashes");
  });

  test("says storage-failed where 409, 503 or 403 do not end", async () => {
    server.fail("PUT", { status: 409, code: "ConditionalRequestConflict" }, 99);
    await expect(open().writeOnce([tile])).rejects.toThrow(failed);
    server.fail("GET", { status: 503, code: "SlowDown" }, 99);
    await expect(open().read("tile/0/001")).rejects.toThrow(failed);
  });

  test("never takes a refusal for an absence", async () => {
    server.fail("GET", { status: 403, code: "AccessDenied" }, 99);
    await expect(open().read(tile.path)).rejects.toThrow(failed);
    await expect(open().replace(checkpoint("one"))).rejects.toThrow(failed);
    expect(server.objects.size).toBe(0);
  });

  test("takes its own first try, whose answer was lost, for success", async () => {
    server.fail("PUT", "lose-answer");
    await open().writeOnce([tile]);
    const storage = open();
    server.fail("PUT", "lose-answer");
    await storage.replace(checkpoint("one"));
    server.fail("PUT", "lose-answer");
    await storage.replace(checkpoint("two"));
    expect(text(await storage.read("checkpoint"))).toBe("two");
  });

  test.each(["truncate", "stall", "claim-huge"] as const)("gives up an object whose body does: %s", async (fault) => {
    await open().writeOnce([tile]);
    server.fail("GET", fault, 99);
    await expect(open({ timeoutMs: 1500 }).read(tile.path)).rejects.toThrow(failed);
  });

  test("replaces the checkpoint that it saw, and no other", async () => {
    const [one, two] = [open(), open()];
    await one.replace(checkpoint("1"));
    await one.replace(checkpoint("2"));
    expect(text(await two.read("checkpoint"))).toBe("2");
    await one.replace(checkpoint("3"));
    await expect(two.replace(checkpoint("2b"))).rejects.toThrow(failed);
    expect(text(await two.read("checkpoint"))).toBe("3");
    await two.replace(checkpoint("4"));
    expect(text(await one.read("checkpoint"))).toBe("4");
    const head = server.objects.get("logs/cards/checkpoint");
    expect(head?.headers).toEqual({ "content-type": "text/plain; charset=utf-8", "cache-control": "no-cache" });
  });

  test("refuses to put a checkpoint where another has come or gone meanwhile", async () => {
    const [one, two] = [open(), open()];
    expect(await one.read("checkpoint")).toBeUndefined();
    await two.replace(checkpoint("theirs"));
    await expect(one.replace(checkpoint("mine"))).rejects.toThrow(failed);
    server.objects.clear();
    await expect(two.replace(checkpoint("again"))).rejects.toThrow(failed);
    expect(server.objects.size).toBe(0);
  });

  test("drops the partial files of a full tile, and nothing else", async () => {
    const storage = open();
    const paths = ["tile/0/000.p/1", "tile/0/000.p/255", "tile/0/000", "tile/0/001.p/1"];
    await storage.writeOnce(paths.map((path) => ({ path, bytes: bytes(path) })));
    await storage.dropPartials(["tile/0/000", "tile/1/000"]);
    expect([...server.objects.keys()].sort()).toEqual(["logs/cards/tile/0/000", "logs/cards/tile/0/001.p/1"]);
  });
});
