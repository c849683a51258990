import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openHome, writeSettings } from "./home.ts";
import { placeOf } from "./postgres.ts";
import { freePort } from "./processes.ts";
import { assertNotServed, whoAnswers } from "./who-answers.ts";

let root = "";
const servers: Server[] = [];
beforeEach(() => {
  root = mkdtempSync("/var/tmp/tip-who-");
});
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
  rmSync(root, { recursive: true, force: true });
});

async function listen(place: { path: string } | { host: string; port: number }): Promise<void> {
  if ("path" in place) mkdirSync(dirname(place.path), { recursive: true });
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(place, resolve));
  servers.push(server);
}

async function makeHome() {
  const home = openHome(root);
  const ports = { postgres: await freePort(), desk: await freePort(), bureau: await freePort() };
  const keys = { logVerifierKey: "log", forceVerifierKey: "force" };
  writeSettings(home, { version: 2, force: "f", recipient: "r", ports, ...keys });
  for (const [folder, file] of [
    [home.staff, "security.one.token"],
    [home.bureau, "token"],
  ] as const) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, file), "a token");
  }
  return { home, ports };
}

it("nobody answers for a home that nothing serves, whatever files of dead processes lie in it", async () => {
  const { home } = await makeHome();
  mkdirSync(home.run, { recursive: true });
  writeFileSync(home.keyholderSocket, "");
  mkdirSync(home.postgres, { recursive: true });
  writeFileSync(join(home.postgres, "postmaster.pid"), `${process.pid}\n`);
  expect(await whoAnswers(home)).toEqual([]);
  await expect(assertNotServed(home)).resolves.toBeUndefined();
});

it("a port that became a stranger's is not one of the home's processes", async () => {
  const { home, ports } = await makeHome();
  await listen({ host: "127.0.0.1", port: ports.desk });
  await listen({ host: "127.0.0.1", port: ports.bureau });
  expect(await whoAnswers(home)).toEqual([]);
});

it("assertNotServed() refuses a home whose keyholder answers, also one without its settings", async () => {
  const home = openHome(root);
  await listen({ path: home.keyholderSocket });
  await expect(assertNotServed(home)).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringMatching(/is being served; stop it first: its keyholder answered/),
  });
});

it("assertNotServed() refuses a home whose database alone is left", async () => {
  const { home, ports } = await makeHome();
  await listen(placeOf({ folder: home.postgres, port: ports.postgres }));
  await expect(assertNotServed(home)).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringMatching(/its database answered/),
  });
});
