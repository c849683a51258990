import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { releaseIdentity } from "@tipstaff/release-protocol";
import { sealJob } from "@tipstaff/sealing";
import sharp from "sharp";
import { ownersOf } from "./known-portraits.ts";
import { infoOf, recordedReleases } from "./recorded-releases.ts";
import { createSearchPool } from "./search-pool.ts";
import { openWithContentKeys, openWithSeeds, suite } from "./try-keys.ts";
import { gatherWanted } from "./wanted.ts";
import { WINDOW_BYTES } from "./windows.ts";

/** Something planted in clear that the drill must find, or its zeros mean nothing. */
export type Control = { readonly planted: string; readonly found: boolean };

const PLANTED = { surname: "Vergissmeinnicht", forename: "Quirinus", number: "90817263" } as const;

/** Plants people in clear, each in another dress, and searches for them with the drill's own tools. */
export async function runControls(folder: string): Promise<Control[]> {
  const { surname, forename, number } = PLANTED;
  const line = `${forename} ${surname}, ${number}\n`;
  const portrait = await drawPortrait();
  const dresses: Record<string, Buffer> = {
    "a name in a table": Buffer.from(`id;forename;surname\n1;${forename};${surname}\n`),
    "a number in a log": Buffer.from(`{"level":30,"msg":"printed ${number}"}\n`),
    "a name in base64": Buffer.from(JSON.stringify({ body: Buffer.from(`xx${line}`).toString("base64") })),
    "a name in UTF-16": Buffer.from(line, "utf16le"),
    "a name inside random bytes": Buffer.concat([randomBytes(100_000), Buffer.from(line), randomBytes(100_000)]),
    "a name in gzip": Buffer.concat([randomBytes(1_000), gzipSync(line.repeat(20))]),
    "a name across the border of two windows": Buffer.concat([
      Buffer.alloc(WINDOW_BYTES - line.length / 2),
      Buffer.from(line),
      Buffer.alloc(1_000),
    ]),
    "a portrait, re-encoded": Buffer.concat([
      randomBytes(5_000),
      await sharp(portrait).jpeg({ quality: 60 }).toBuffer(),
    ]),
  };
  const photos = join(folder, "photos");
  mkdirSync(photos, { recursive: true });
  writeFileSync(join(photos, `${number}.jpg`), portrait);
  const portraits = { photos, byPayNumber: async () => new Map([[number, 0]]) };
  const wanted = await gatherWanted([{ surname, forename, numbers: [number] }]);
  const controls: Control[] = [];
  const pool = createSearchPool(wanted);
  try {
    for (const [position, [planted, bytes]] of Object.entries(dresses).entries()) {
      const place = join(folder, `control-${position}`);
      mkdirSync(place, { recursive: true });
      writeFileSync(join(place, "planted"), bytes);
      const { people, images } = await pool.search([place]);
      const owners = await ownersOf(images, portraits);
      controls.push({ planted, found: people.has(0) || owners.has(0) });
    }
  } finally {
    await pool.close();
  }
  controls.push({ planted: "a content key beside its sealed job", found: opensPlantedJob() });
  controls.push({ planted: "a one-time key's seed beside a recorded answer", found: await opensPlantedAnswer(folder) });
  return controls;
}

function opensPlantedJob(): boolean {
  const contentKey = randomBytes(32);
  const context = Buffer.from("control");
  const sealed = Buffer.from(sealJob({ contentKey, context, head: { control: true }, pages: randomBytes(1000) }));
  const wrong = Array.from({ length: 100 }, () => randomBytes(32));
  return (
    openWithContentKeys([{ context, sealed }], wrong) === 0 &&
    openWithContentKeys([{ context, sealed }], [...wrong, contentKey]) === 1
  );
}

async function opensPlantedAnswer(folder: string): Promise<boolean> {
  const pair = await suite.GenerateKeyPair(true);
  const seed = Buffer.from(await suite.SerializePrivateKey(pair.privateKey));
  const publicKey = await suite.SerializePublicKey(pair.publicKey);
  const id = "00000000-0000-4000-8000-000000000000";
  const digest = "0".repeat(64);
  const ids = { run: id, order: id, job: id, attempt: 1 };
  const key = Buffer.from(publicKey).toString("base64url");
  const request = {
    version: 1,
    recipient: "control",
    agreement: digest,
    ...ids,
    line: "L01",
    previous: digest,
    key,
  } as const;
  const place = { origin: "control.example/log", index: 0, leaf: Buffer.from("leaf").toString("base64url") };
  const { encapsulatedSecret, ciphertext } = await suite.Seal(pair.publicKey, randomBytes(32), {
    info: infoOf({ attempt: request.attempt, identity: releaseIdentity(request) }, place),
  });
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");
  const sealed = { enc: base64(encapsulatedSecret), sealed: base64(ciphertext), signature: base64(randomBytes(64)) };
  const answer = {
    outcome: "released",
    job: id,
    attempt: 1,
    ...place,
    proof: [],
    checkpoint: "",
    revealed: [],
    ...sealed,
  };
  const recording = join(folder, "control-recording");
  const wire = `POST /v1/releases HTTP/1.1\r\n\r\n${JSON.stringify(request)}HTTP/1.1 200 OK\r\n\r\n${JSON.stringify(answer)}`;
  writeFileSync(recording, wire);
  const releases = recordedReleases(recording);
  const wrong = [randomBytes(32), randomBytes(32)];
  return (await openWithSeeds(releases, wrong)) === 0 && (await openWithSeeds(releases, [...wrong, seed])) === 1;
}

async function drawPortrait(): Promise<Buffer> {
  const face = `<svg xmlns="http://www.w3.org/2000/svg" width="413" height="531"><rect width="413" height="531" fill="#cde"/>
    <ellipse cx="190" cy="240" rx="120" ry="160" fill="#a76"/><circle cx="150" cy="210" r="18"/><circle cx="245" cy="205" r="18"/>
    <path d="M130 330 q70 50 130 -10" stroke="#300" stroke-width="14" fill="none"/></svg>`;
  return sharp(Buffer.from(face)).jpeg({ quality: 92 }).toBuffer();
}
