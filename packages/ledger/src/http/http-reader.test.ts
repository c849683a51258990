import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { createHttpReader, verifyLog } from "../index.ts";
import { listen, serving, verifierKeys } from "./test-http.ts";

const failed = expect.objectContaining({ code: "storage-failed" });

describe("createHttpReader()", () => {
  test("lets a whole log be verified from its URL", async () => {
    for (const prefix of ["/", "/some/log/"]) {
      const base = await serving(prefix);
      const tiles = createHttpReader(base + prefix.replace(/\/$/, ""));
      expect(await verifyLog({ tiles, verifierKeys })).toMatchObject({ ok: true, size: 300 });
      expect(await verifyLog({ tiles, verifierKeys, threads: 2 })).toMatchObject({ ok: true, size: 300 });
    }
  });

  test("reads 404 and 410 as absent, and no other refusal", async () => {
    const answering = (status: number) => listen((_, response) => void response.writeHead(status).end());
    for (const status of [404, 410])
      expect(await createHttpReader(await answering(status)).read("checkpoint")).toBeUndefined();
    for (const status of [204, 206, 400, 401, 403, 500, 503]) {
      await expect(createHttpReader(await answering(status), { retries: 0 }).read("checkpoint")).rejects.toThrow(
        failed,
      );
    }
  });

  test("tries again after 503 and a cut connection, so often and no more", async () => {
    let asked = 0;
    const base = await listen((request, response) => {
      asked++;
      if (asked === 1) response.writeHead(503).end();
      else if (asked === 2) request.socket.destroy();
      else response.end("note");
    });
    expect(await createHttpReader(base).read("checkpoint")).toEqual(Uint8Array.from(Buffer.from("note")));
    asked = 0;
    await expect(createHttpReader(base, { retries: 1 }).read("checkpoint")).rejects.toThrow(failed);
    expect(asked).toBe(2);
  });

  test("gives up a body that is cut short, endless, or a bomb", async () => {
    const cut = await listen((_, response) => {
      response.writeHead(200, { "content-length": 100 }).write("short");
      setTimeout(() => response.destroy(), 20);
    });
    const endless = await listen((_, response) => {
      const send = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
      };
      response.on("drain", send);
      send();
    });
    const bomb = await listen(
      (_, response) =>
        void response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(Buffer.alloc(5_000_000))),
    );
    for (const base of [cut, endless, bomb]) {
      await expect(createHttpReader(base, { retries: 0 }).read("tile/0/000")).rejects.toThrow(failed);
    }
  });

  test("gives up a server that takes too long, before or within the body", async () => {
    const silent = await listen(() => undefined);
    const slow = await listen((_, response) => void response.writeHead(200).write("a"));
    for (const base of [silent, slow]) {
      await expect(createHttpReader(base, { retries: 0, timeoutMs: 300 }).read("checkpoint")).rejects.toThrow(failed);
    }
  });

  test("holds every kind of file to its own length, or to less", async () => {
    const base = await listen((_, response) => void response.end(Buffer.alloc(40 * 32)));
    expect(await createHttpReader(base).read("tile/0/000.p/40")).toHaveLength(40 * 32);
    await expect(createHttpReader(base).read("tile/0/000.p/39")).rejects.toThrow(failed);
    await expect(createHttpReader(base, { maxBytes: 100 }).read("tile/0/000.p/40")).rejects.toThrow(failed);
  });

  test("follows a redirect within its host, and never to another or in circles", async () => {
    const other = await serving();
    const moved = (to: string) => listen((_, response) => void response.writeHead(302, { location: to }).end());
    await expect(createHttpReader(await moved(`${other}/checkpoint`)).read("checkpoint")).rejects.toThrow(failed);
    await expect(createHttpReader(await moved("/checkpoint")).read("checkpoint")).rejects.toThrow(failed);
    await expect(createHttpReader(await moved("file:///etc/passwd")).read("checkpoint")).rejects.toThrow(failed);
    const within = await listen((request, response) => {
      if (request.url === "/new/checkpoint") response.end("note");
      else response.writeHead(301, { location: `/new${request.url}` }).end();
    });
    expect(await createHttpReader(within).read("checkpoint")).toHaveLength(4);
  });

  test("refuses a URL that is none of a log, and a path that is none of its files", async () => {
    const malformed = expect.objectContaining({ code: "path-malformed" });
    for (const url of ["", "log", "ftp://a/", "file:///log", "http://a/?x", "http://a/#x", "http://user@a/"]) {
      expect(() => createHttpReader(url)).toThrow(malformed);
    }
    const reader = createHttpReader("http://127.0.0.1:1/");
    for (const path of ["", "../checkpoint", "//other/checkpoint", "http://other/checkpoint", "000.p/3"]) {
      await expect(reader.read(path)).rejects.toThrow(malformed);
    }
  });
});
