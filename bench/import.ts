import { createCipheriv, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Client } from "pg";
import { from as copyFrom } from "pg-copy-streams";
import sharp from "sharp";
import { startTestDesk, type TestDesk } from "../apps/desk/src/database/test-desk.ts";
import { EXAMPLE_HEADERS, examplePerson, toCells, writeCsv } from "../apps/desk/src/people/example-extract.ts";
import { importCommand } from "../apps/desk/src/people/import-command.ts";
import { type Measurement, secondsOf } from "./measure.ts";

const MOST_PHOTOS = 400;
const COPY_PIECE_LENGTH = 64 * 1024;
const ROWS_TARGET = 3;
const PHOTOS_TARGET = 1.3;
const MEMORY_TARGET_MIB = 700;

function compare(name: string, given: { value: number; floor: number; target: number }): Measurement {
  const { value, floor, target } = given;
  const ratio = value / floor;
  return { name, value, unit: "s", floor, ratio, target: `at most ${target} times the floor`, met: ratio <= target };
}

const rowsOf = (people: number): string[][] => Array.from({ length: people }, (_, n) => toCells(examplePerson(n)));

/** What cannot be less: every row encrypted on its own, and a bare COPY of the ciphertexts. */
async function bareRows({ config }: TestDesk, rows: readonly string[][]): Promise<number> {
  // The desk's own connections are pipelined, and a COPY cannot be.
  const client = new Client({ connectionString: config.databaseUrl });
  await client.connect();
  try {
    await client.query("create table floor (id int primary key, details bytea not null)");
    const key = randomBytes(32);
    const { seconds } = await secondsOf(async () => {
      const pieces = function* () {
        let piece = "";
        for (const [n, row] of rows.entries()) {
          const nonce = randomBytes(12);
          const cipher = createCipheriv("aes-256-gcm", key, nonce);
          const sealed = Buffer.concat([nonce, cipher.update(row.join(",")), cipher.final(), cipher.getAuthTag()]);
          piece += `${n}\t\\\\x${sealed.toString("hex")}\n`;
          if (piece.length < COPY_PIECE_LENGTH) continue;
          yield piece;
          piece = "";
        }
        yield piece;
      };
      await pipeline(Readable.from(pieces()), client.query(copyFrom("copy floor from stdin")));
    });
    await client.query("drop table floor");
    return seconds;
  } finally {
    await client.end();
  }
}

async function drawPhotos(folder: string, count: number): Promise<string[]> {
  mkdirSync(folder);
  const noise = randomBytes(750 * 1000 * 3);
  const source = await sharp(noise, { raw: { width: 750, height: 1000, channels: 3 } })
    .blur(6)
    .jpeg()
    .toBuffer();
  const paths: string[] = [];
  for (let n = 0; n < count; n += 1) {
    const path = join(folder, `${examplePerson(n).pay}.jpg`);
    const tint = { r: n % 255, g: 120, b: 200 };
    await sharp(source).tint(tint).jpeg().toFile(path);
    paths.push(path);
  }
  return paths;
}

/** The same images through sharp alone, with as many threads. */
async function bareSharp(paths: readonly string[]): Promise<number> {
  sharp.concurrency(1);
  sharp.cache(false);
  const { seconds } = await secondsOf(async () => {
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let path = paths[next++]; path !== undefined; path = paths[next++]) {
        const image = sharp(readFileSync(path)).autoOrient().resize(413, 531, { fit: "cover", position: "top" });
        await image.jpeg({ quality: 88 }).toBuffer();
      }
    };
    await Promise.all(Array.from({ length: availableParallelism() }, worker));
  });
  return seconds;
}

async function* benchRows(folder: string, people: number): AsyncGenerator<Measurement> {
  const desk = await startTestDesk({ durable: true });
  try {
    const rows = rowsOf(people);
    const file = writeCsv(folder, [EXAMPLE_HEADERS, ...rows]);
    const floor = await bareRows(desk, rows);
    const first = await secondsOf(() => importCommand(desk.desk, { file }));
    yield compare(`import of ${people} rows`, { value: first.seconds, floor, target: ROWS_TARGET });
    const again = await secondsOf(() => importCommand(desk.desk, { file }));
    yield compare("the same file again", { value: again.seconds, floor, target: ROWS_TARGET });
  } finally {
    await desk.stop();
  }
}

async function* benchPhotos(folder: string, count: number): AsyncGenerator<Measurement> {
  const desk = await startTestDesk({ durable: true });
  try {
    const photos = join(folder, "photos");
    const paths = await drawPhotos(photos, count);
    const file = writeCsv(folder, [EXAMPLE_HEADERS, ...rowsOf(count)]);
    const floor = await bareSharp(paths);
    const { seconds: value } = await secondsOf(() => importCommand(desk.desk, { file, photos }));
    yield compare(`import of ${count} photos`, { value, floor, target: PHOTOS_TARGET });
  } finally {
    await desk.stop();
  }
}

/** Import of rows against bare COPY and AES-GCM, of photos against bare sharp, and the memory that it took. */
export async function* run({ people }: { readonly people: number }): AsyncGenerator<Measurement> {
  const folder = mkdtempSync(join(tmpdir(), "bench-import-"));
  try {
    yield* benchRows(folder, people);
    yield* benchPhotos(folder, Math.min(people, MOST_PHOTOS));
    const value = process.resourceUsage().maxRSS / 1024;
    const target = `at most ${MEMORY_TARGET_MIB} MiB`;
    yield { name: "peak memory of the importing process", value, unit: "MiB", target, met: value <= MEMORY_TARGET_MIB };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
