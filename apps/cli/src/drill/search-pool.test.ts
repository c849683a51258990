import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { candidateSecrets } from "./candidate-secrets.ts";
import { createSearchPool, type SearchPool } from "./search-pool.ts";
import { gatherWanted } from "./wanted.ts";
import { OVERLAP_BYTES, WINDOW_BYTES } from "./windows.ts";

const folder = mkdtempSync(join(tmpdir(), "tipstaff-pool-"));
let pool: SearchPool;
beforeAll(async () => {
  const quirinus = { surname: "Vergissmeinnicht", forename: "Quirinus", numbers: [] };
  const nameless = { surname: "", forename: "", numbers: ["90817263"] };
  pool = createSearchPool(await gatherWanted([quirinus, nameless]));
});
afterAll(async () => {
  await pool.close();
  rmSync(folder, { recursive: true });
});
const put = (name: string, ...parts: Uint8Array[]) => {
  mkdirSync(join(folder, name));
  writeFileSync(join(folder, name, "file"), Buffer.concat(parts));
  return join(folder, name);
};

describe("createSearchPool()", () => {
  it("finds what lies across the border of two windows, wherever it is cut", async () => {
    const text = Buffer.from(" Quirinus Vergissmeinnicht ");
    for (const before of [0, 5, 13, text.length]) {
      for (const border of [WINDOW_BYTES, WINDOW_BYTES - OVERLAP_BYTES]) {
        const place = put(`border-${border}-${before}`, Buffer.alloc(border - before), text, Buffer.alloc(2_000_000));
        expect([...(await pool.search([place])).people]).toEqual([0]);
      }
    }
  });

  it("counts every byte once, and tells how far it is", async () => {
    const length = 2 * WINDOW_BYTES + 12_345;
    const place = put("long", randomBytes(length));
    const told: [number, number][] = [];
    const { bytes, files } = await pool.search([place], (done, of) => told.push([done, of]));
    expect({ bytes, files }).toEqual({ bytes: length, files: 1 });
    expect(told.at(-1)).toEqual([Math.round(length / 1e6), Math.round(length / 1e6)]);
  });

  it("does not keep what it found for the next search", async () => {
    const with90 = put("number", Buffer.from("card of 90817263."));
    expect([...(await pool.search([with90])).people]).toEqual([1]);
    expect([...(await pool.search([put("nobody", Buffer.from("card of nobody"))])).people]).toEqual([]);
  });

  it("fails where a file cannot be read, and does not pass over it", async () => {
    await expect(pool.search([join(folder, "missing")])).rejects.toThrow("ENOENT");
  });
});

describe("candidateSecrets()", () => {
  it("finds a key raw in a small file, and in base64 and hex anywhere in a large one", () => {
    const keys = [randomBytes(32), randomBytes(32), randomBytes(32), randomBytes(32)] as const;
    const [raw, base64, base64url, hex] = keys;
    const small = put("small", Buffer.from("key:"), raw, Buffer.from("\n"));
    const coded = [base64.toString("base64"), base64url.toString("base64url"), hex.toString("hex")].join('", "');
    const large = put("large", Buffer.alloc(WINDOW_BYTES - 30), Buffer.from(`{"${coded}"}`), randomBytes(100_000));
    const found = new Set([...candidateSecrets([small, large])].map((secret) => secret.toString("hex")));
    for (const key of keys) expect(found.has(key.toString("hex"))).toBe(true);
  });
});
