import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { CUSTODY_MOVES, JOB_MOVES, mayMove, REQUEST_MOVES, VALIDITY_MOVES } from "./states.ts";

const tables = { request: REQUEST_MOVES, job: JOB_MOVES, validity: VALIDITY_MOVES, custody: CUSTODY_MOVES };
type Table = Readonly<Record<string, readonly string[]>>;

const rowSchema = z.strictObject({ allowed: z.array(z.string()), forbidden: z.array(z.string()) });
const vectorsSchema = z.strictObject({
  source: z.string(),
  tables: z.record(z.string(), z.record(z.string(), rowSchema)),
});
const file = new URL("../../vectors/states.json", import.meta.url);
const vectors = vectorsSchema.parse(JSON.parse(readFileSync(file, "utf8")));

describe("the vectors of docs/spec/states.md", () => {
  it("are of the four tables, and hold every pair of states once", () => {
    expect(Object.keys(vectors.tables)).toEqual(Object.keys(tables));
    for (const [name, moves] of Object.entries<Table>(tables)) {
      const rows = vectors.tables[name] ?? {};
      expect(Object.keys(rows).sort()).toEqual(Object.keys(moves).sort());
      for (const { allowed, forbidden } of Object.values(rows)) {
        expect([...allowed, ...forbidden].sort()).toEqual(Object.keys(moves).sort());
      }
    }
  });
  it.each(Object.entries<Table>(tables))("allow and forbid of the %s table what the code does", (name, moves) => {
    for (const [from, { allowed, forbidden }] of Object.entries(vectors.tables[name] ?? {})) {
      for (const to of allowed) expect([from, to, mayMove(moves, from, to)]).toEqual([from, to, true]);
      for (const to of forbidden) expect([from, to, mayMove(moves, from, to)]).toEqual([from, to, false]);
    }
  });
});

describe.each(Object.entries(tables))("the %s table", (_name, moves: Table) => {
  const states = Object.keys(moves);
  it("moves to states that it lists, and never to the same one", () => {
    for (const [from, targets] of Object.entries(moves)) {
      for (const to of targets) expect(states).toContain(to);
      expect(targets).not.toContain(from);
    }
  });
  it("refuses every move that is not listed, and every state that it does not know", () => {
    const anyState = fc.oneof(fc.constantFrom(...states, "toString", "__proto__", "constructor"), fc.string());
    fc.assert(
      fc.property(anyState, anyState, (from, to) => {
        expect(mayMove(moves, from, to)).toBe(Object.hasOwn(moves, from) && (moves[from] ?? []).includes(to));
      }),
    );
  });
});

/** Every state that can follow, however many moves it takes. */
function reachable(moves: Table, from: string): Set<string> {
  const found = new Set<string>();
  const visit = (state: string) => {
    for (const next of moves[state] ?? []) {
      if (found.has(next)) continue;
      found.add(next);
      visit(next);
    }
  };
  visit(from);
  return found;
}

describe("no path", () => {
  it("leads from a receipt, or from what is uncertain, back to a release", () => {
    for (const state of ["produced", "spoiled", "uncertain"])
      for (const forbidden of ["reserved", "logged", "released", "sealed"])
        expect(reachable(JOB_MOVES, state)).not.toContain(forbidden);
  });
  it("leads from revoked, expired or void back to active", () => {
    for (const state of ["revoked", "expired", "void"]) expect(reachable(VALIDITY_MOVES, state).size).toBe(0);
  });
  it("leads to active but through hand-over or the end of a suspension", () => {
    const before = Object.entries(VALIDITY_MOVES).filter(([, targets]) => targets.some((to) => to === "active"));
    expect(before.map(([from]) => from)).toEqual(["inactive", "suspended"]);
  });
  it("leads a destroyed card anywhere", () => {
    expect(reachable(CUSTODY_MOVES, "destroyed").size).toBe(0);
  });
  it("leads a request that was never approved into an order", () => {
    const before = Object.entries(REQUEST_MOVES).filter(([, targets]) => targets.some((to) => to === "ordered"));
    expect(before.map(([from]) => from)).toEqual(["approved"]);
  });
});
