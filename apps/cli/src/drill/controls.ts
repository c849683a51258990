import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sealJob } from "@tipstaff/sealing";
import sharp from "sharp";
import type { KnownPeople } from "./known-people.ts";
import { perceptualHash } from "./perceptual-hash.ts";
import { searchFolders } from "./search-folder.ts";
import { openWithContentKeys } from "./try-keys.ts";

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
    "a portrait, re-encoded": Buffer.concat([
      randomBytes(5_000),
      await sharp(portrait).jpeg({ quality: 60 }).toBuffer(),
    ]),
  };
  const known: KnownPeople = {
    count: 1,
    names: new Map([[surname, new Map([[forename, [0]]])]]),
    numbers: new Map([[number, 0]]),
    dictionary: [],
    portraits: [{ person: 0, hash: await perceptualHash(sharp(portrait)) }],
  };
  const controls: Control[] = [];
  for (const [position, [planted, bytes]] of Object.entries(dresses).entries()) {
    const place = join(folder, `control-${position}`);
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, "planted"), bytes);
    controls.push({ planted, found: (await searchFolders([place], known)).found.has(0) });
  }
  controls.push({ planted: "a content key beside its sealed job", found: opensPlantedJob() });
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

async function drawPortrait(): Promise<Buffer> {
  const face = `<svg xmlns="http://www.w3.org/2000/svg" width="413" height="531"><rect width="413" height="531" fill="#cde"/>
    <ellipse cx="190" cy="240" rx="120" ry="160" fill="#a76"/><circle cx="150" cy="210" r="18"/><circle cx="245" cy="205" r="18"/>
    <path d="M130 330 q70 50 130 -10" stroke="#300" stroke-width="14" fill="none"/></svg>`;
  return sharp(Buffer.from(face)).jpeg({ quality: 92 }).toBuffer();
}
