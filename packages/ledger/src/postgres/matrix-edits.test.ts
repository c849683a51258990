import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { equalBytes } from "../bytes.ts";
import { entriesOf, fsck, logAll, seeded, verify } from "./test-cells.ts";
import { createTestLog, type TestLog } from "./test-log.ts";
import { startTestPostgres, type TestPostgres } from "./test-postgres.ts";

const SIZE = 600;
const POSITIONS = 6;
let postgres: TestPostgres;
let log: TestLog;
beforeAll(async () => {
  postgres = await startTestPostgres();
  log = await createTestLog(await postgres.createDatabase());
  await logAll(log, entriesOf("first", 300));
  await logAll(log, entriesOf("second", SIZE - 300));
  await log.append(entriesOf("waiting", 5));
});
afterAll(async () => {
  await postgres.close();
  await log.remove();
});

/** Every file of the log that a reader of size 600 needs. */
const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile() && !file.parentPath.includes(".unfinished"))
    .map((file) => relative(folder, join(file.parentPath, file.name)))
    .sort();

test("a log that nobody touched fits", async () => {
  expect(await fsck(log)).toEqual({ ok: true, size: SIZE, published: SIZE, waiting: 5 });
});

describe("one changed byte", () => {
  test("of any file that the checkpoint needs is named by verify and by fsck", async () => {
    const needed = { tiles: /^(checkpoint|tile\/(0|entries)\/00[01]|tile\/.*\.p\/.*)$/, openings: /./ };
    let tried = 0;
    for (const folder of ["tiles", "openings"] as const) {
      const stale = await staleOf(folder);
      for (const path of filesOf(log.folders[folder]).filter((name) => needed[folder].test(name) && !stale.has(name))) {
        const file = join(log.folders[folder], path);
        const bytes = readFileSync(file);
        for (let n = 0; n < POSITIONS; n++) {
          const at = n === 0 ? 0 : n === 1 ? bytes.length - 1 : seeded(`${path} ${n}`, bytes.length);
          const changed = Buffer.from(bytes);
          changed[at] = (changed[at] ?? 0) ^ (1 << (n & 7));
          writeFileSync(file, changed);
          const verdict = await verify(log);
          const checked = await fsck(log);
          writeFileSync(file, bytes);
          expect(verdict, `${path} byte ${at}`).toMatchObject({ ok: false });
          if (verdict.ok) continue;
          // A bundle and the tile over its hashes accuse each other where no tile above decides.
          if (verdict.fault.kind !== "entry-or-tile" && verdict.fault.kind !== "openings") {
            expect(verdict.fault.path).toBe(path);
          }
          expect(checked).toMatchObject({ ok: false, faults: [{ place: "folder", ...verdict.fault }] });
          tried += 1;
        }
      }
    }
    expect(tried).toBeGreaterThan(50);
  }, 60_000);

  /** Files of sizes that are past: no reader of this checkpoint opens them. */
  const staleOf = async (folder: "tiles" | "openings"): Promise<Set<string>> => {
    const read = new Set<string>();
    const watch = {
      read: (path: string) => {
        read.add(path);
        return log[folder].read(path);
      },
    };
    const whole = { ...log, [folder]: { ...log[folder], ...watch } };
    expect(await verify(whole)).toMatchObject({ ok: true });
    return new Set(filesOf(log.folders[folder]).filter((path) => !read.has(path)));
  };

  test.each(["leaf", "openings", "operation_id"])("of the database's %s is named with its entry", async (column) => {
    for (let n = 0; n < POSITIONS; n++) {
      const index = n === 0 ? 0 : n === 1 ? SIZE - 1 : seeded(`${column} row ${n}`, SIZE);
      await flipped({ column, index, n }, async () => {
        const faults = [{ place: "database", table: "intake", column, index }];
        expect(await fsck(log)).toMatchObject({ ok: false, faults });
      });
    }
  });

  test("of a row that waits is named", async () => {
    for (const column of ["openings", "operation_id"]) {
      await flipped({ column, index: undefined, n: 3 }, async () => {
        const verdict = await fsck(log);
        expect(verdict).toMatchObject({ ok: false, faults: [{ place: "database", table: "intake" }] });
      });
    }
  });

  test.each(["root", "published_root"])("of the head's %s is named", async (column) => {
    for (let n = 0; n < POSITIONS; n++) {
      const at = seeded(`${column} ${n}`, 32);
      await log.pool.query(`update ledger.head set ${column} = set_byte(${column}, $1, get_byte(${column}, $1) # 4)`, [
        at,
      ]);
      expect(await fsck(log)).toMatchObject({ ok: false, faults: [{ place: "database", table: "head" }] });
      await log.pool.query(`update ledger.head set ${column} = set_byte(${column}, $1, get_byte(${column}, $1) # 4)`, [
        at,
      ]);
    }
  });

  const flipped = async (
    { column, index, n }: { column: string; index: number | undefined; n: number },
    work: () => Promise<void>,
  ) => {
    const which =
      index === undefined
        ? "select min(seq) from ledger.waiting"
        : `select seq from ledger.entry where idx = ${Number(index)}`;
    const { rows } = await log.pool.query<{ seq: string; bytes: Uint8Array }>(
      `select seq, ${column} as bytes from ledger.intake where seq = (${which})`,
    );
    const [row] = rows;
    if (row === undefined) throw new Error("no such row");
    const at = n === 0 ? 0 : n === 1 ? row.bytes.length - 1 : seeded(`${column} ${n}`, row.bytes.length);
    const changed = Buffer.from(row.bytes);
    changed[at] = (changed[at] ?? 0) ^ (1 << (n & 7));
    expect(equalBytes(changed, row.bytes)).toBe(false);
    await log.pool.query(`update ledger.intake set ${column} = $2 where seq = $1`, [row.seq, changed]);
    try {
      await work();
    } finally {
      await log.pool.query(`update ledger.intake set ${column} = $2 where seq = $1`, [row.seq, row.bytes]);
    }
  };
});

describe("rows that are lost or moved", () => {
  const changes: readonly [string, string, object][] = [
    [
      "an entry without its row",
      "delete from ledger.intake where seq = (select seq from ledger.entry where idx = 17)",
      { index: 17 },
    ],
    ["an index that is gone", "delete from ledger.entry where idx = 599", { table: "intake" }],
    ["an index that is gone in the middle", "delete from ledger.entry where idx = 300", { table: "entry", index: 300 }],
    [
      "two entries that changed places",
      "update ledger.entry set idx = -1 where idx = 5; update ledger.entry set idx = 5 where idx = 6; update ledger.entry set idx = 6 where idx = -1",
      { table: "intake", column: "leaf", index: 5 },
    ],
    [
      "a waiting row that is forgotten",
      "delete from ledger.waiting where seq = (select min(seq) from ledger.waiting)",
      { table: "intake" },
    ],
    [
      "a row that waits though it is logged",
      "insert into ledger.waiting select seq from ledger.entry where idx = 3",
      { table: "intake" },
    ],
    ["a row that waits and is nowhere", "insert into ledger.waiting values (999999)", { table: "waiting" }],
    [
      "an entry beyond the head",
      "insert into ledger.entry select 600, min(seq) from ledger.waiting",
      { table: "entry", index: 600 },
    ],
    ["another log's head", "update ledger.head set origin = 'other.example/log'", { table: "head" }],
    ["a head that counts less", "update ledger.head set size = 599, published_size = 599", { table: "head" }],
    ["a head that counts more", "update ledger.head set size = 601", { table: "entry", index: 600 }],
    ["no head", "delete from ledger.head", { table: "head" }],
  ];
  test.each(changes)("%s is named", async (what, sql, fault) => {
    const client = await log.pool.connect();
    try {
      await client.query("begin");
      await client.query(sql);
      // Within the transaction that is rolled back afterwards: the one client of a pool that lends nothing else.
      const pool = Object.assign(Object.create(log.pool), {
        connect: async () => Object.assign(Object.create(client), { release: () => undefined, query: lend(client) }),
      });
      const verdict = await fsck({ ...log, pool });
      const found = what === "an index that is gone" ? { table: "entry", index: 599 } : fault;
      expect(verdict).toMatchObject({ ok: false, faults: [{ place: "database", ...found }] });
    } finally {
      await client.query("rollback");
      client.release();
    }
  });
  const lend =
    (client: { query: (...given: readonly never[]) => unknown }) =>
    (...given: readonly never[]) =>
      /^(begin|rollback)/.test(String(given[0])) ? Promise.resolve({ rows: [] }) : client.query(...given);
});
