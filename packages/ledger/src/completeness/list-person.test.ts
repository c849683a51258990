import { createHash, randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { operationId, parseLeaf, verifyOpening } from "../entry/leaf.ts";
import { openEvent } from "../entry/openings.ts";
import { prepareEntry } from "../entry/prepare-entry.ts";
import { createNoteSigner } from "../formats/signed-note.ts";
import { createMemoryLog } from "../memory/memory-log.ts";
import { readEntries } from "../storage/tile-storage.ts";
import { encodeCensusDetail } from "./census-detail.ts";
import { buildCensusMap, type CensusLeaf, type CensusMap, censusKey, censusLeaf } from "./census-map.ts";
import { indexInMemory } from "./entry-index.ts";
import { type ListPersonInput, listPerson, openingsOf } from "./list-person.ts";
import type { ClaimedCensus } from "./verify-censuses.ts";

const key = (name: string): Uint8Array => createHash("sha256").update(name).digest();
const tagKeyOf = (person: string): Uint8Array => key(`tag ${person}`);
const auditKeyOf = (person: string): Uint8Array => key(`audit ${person}`);
const random = (length: number): Uint8Array => randomBytes(length);
const idOf = (kind: string, reference: string): Uint8Array =>
  operationId({ operationKey: key("operation"), kind, recipient: "", reference });

type Census = Omit<ClaimedCensus, "n" | "proof"> & { map: CensusMap; counts: ReadonlyMap<string, number> };

/** A log that a force writes, honestly or not. */
const createForce = () => {
  const log = createMemoryLog(createNoteSigner("log.example", key("log signer")));
  const counts = new Map<string, number>();
  const openings: Uint8Array[] = [];
  const censuses: Census[] = [];
  let events = 0;
  let frozen: readonly CensusLeaf[] = [];
  const append = (made: { leaf: Uint8Array; openings: Uint8Array }): number => {
    openings.push(made.openings);
    return log.append([made.leaf]).firstIndex;
  };
  const record = (
    person: string,
    { dropped = false, n = (counts.get(person) ?? 0) + 1, subject = person } = {},
  ): void => {
    counts.set(person, Math.max(n, counts.get(person) ?? 0));
    events += 1;
    const made = prepareEntry({
      operationId: idOf("received", String(events)),
      fields: { kind: "received", subject, at: "2026-03-01T09:30:00.000Z" },
      tag: { tagKey: tagKeyOf(person), n },
      keys: { log: key("log"), subjectAudit: auditKeyOf(person) },
      random,
    });
    if (!dropped) append(made);
  };
  const takeCensus = ({ says = counts, shown = true } = {}): void => {
    const seq = censuses.length + 1;
    const map = buildCensusMap([...[...says].map(([person, n]) => censusLeaf(tagKeyOf(person), n)), ...frozen]);
    const id = idOf("census", String(seq));
    const detail = encodeCensusDetail({ seq, root: map.root, next: idOf("census", String(seq + 1)) });
    const made = prepareEntry({
      operationId: id,
      fields: { kind: "census", at: "2026-03-01T09:30:00.000Z", detail },
      tag: undefined,
      keys: { log: key("log") },
      random,
    });
    const index = append(made);
    const opened = openEvent(made.openings, id, key("log"));
    if (!opened) throw new Error("own key");
    const show = <F extends "kind" | "detail">(field: F) => ({
      field,
      value: opened.fields[field],
      salt: opened.salts[field],
    });
    if (shown) censuses.push({ seq, index, kind: show("kind"), detail: show("detail"), map, counts: new Map(says) });
  };
  const erase = (person: string): void => {
    frozen = [...frozen, censusLeaf(tagKeyOf(person), counts.get(person) ?? 0)];
    counts.delete(person);
  };
  const askFor = async (person: string): Promise<ListPersonInput> => {
    const prover = log.prover();
    return {
      tagKey: tagKeyOf(person),
      auditKey: auditKeyOf(person),
      censuses: censuses.map(({ map, counts: said, ...census }) => ({
        ...census,
        n: said.get(person),
        proof: map.prove(censusKey(tagKeyOf(person))),
      })),
      log: {
        prover,
        root: await prover.root(),
        index: await indexInMemory(log.reader, prover.size),
        readEntry: async (index) => {
          const bundle = Math.floor(index / 256);
          const width = Math.min(256, prover.size - bundle * 256);
          const entry = (await readEntries(log.reader, { index: bundle, width }))[index % 256];
          if (!entry) throw new Error("no entry");
          return entry;
        },
        readOpenings: async (index) => openings[index],
      },
    };
  };
  return { record, takeCensus, erase, askFor, openings, censuses, counts };
};

const createHonest = () => {
  const force = createForce();
  for (const person of ["a", "b", "a", "c"]) force.record(person);
  force.takeCensus();
  for (const person of ["a", "b", "a"]) force.record(person);
  force.takeCensus();
  return force;
};

const list = async (force: ReturnType<typeof createForce>, person = "a") => listPerson(await force.askFor(person));

describe("listPerson()", () => {
  test("lists all that was recorded, opened and in order, and calls it complete", async () => {
    const force = createHonest();
    const history = await list(force);
    expect(history).toMatchObject({ faults: [], complete: true, censusSeq: 2 });
    expect(history.entries.map(({ n, index }) => [n, index])).toEqual([
      [1, 0],
      [2, 2],
      [3, 5],
      [4, 7],
    ]);
    for (const { entry, opened } of history.entries) {
      expect(opened?.fields).toMatchObject({ kind: "received", subject: "a" });
      // One field at a time, each by itself.
      for (const opening of opened ? openingsOf(opened) : []) expect(verifyOpening(entry, opening)).toBe(true);
    }
  });

  test("asks the index for that person's tags and the next census alone", async () => {
    const force = createHonest();
    const asked = await force.askFor("c");
    let lookups = 0;
    const counting = {
      ...asked.log.index,
      find: (id: Uint8Array) => {
        lookups += 1;
        return asked.log.index.find(id);
      },
    };
    expect((await listPerson({ ...asked, log: { ...asked.log, index: counting } })).complete).toBe(true);
    expect(lookups).toBe(1 + 64 + 1);
  });

  test("without a census vouches for nothing, and lists what there is", async () => {
    const force = createForce();
    force.record("a");
    expect(await list(force)).toMatchObject({ faults: [], complete: false, censusSeq: undefined });
  });

  test("notices an entry dropped in the middle, with and without a census", async () => {
    const force = createForce();
    force.record("a");
    force.record("a", { dropped: true });
    force.record("a");
    expect((await list(force)).faults).toEqual([{ kind: "gap", n: 2 }]);
    force.takeCensus();
    expect((await list(force)).faults).toEqual([
      { kind: "gap", n: 2 },
      { kind: "tail-dropped", n: 2, seq: 1 },
    ]);
  });

  test("notices last entries dropped before a census, also when they come after it", async () => {
    const force = createForce();
    force.record("a");
    force.record("a", { dropped: true });
    force.takeCensus();
    expect((await list(force)).faults).toEqual([{ kind: "tail-dropped", n: 2, seq: 1 }]);
    force.record("a", { n: 2 });
    expect((await list(force)).faults).toEqual([{ kind: "tail-dropped", n: 2, seq: 1 }]);
  });

  test("notices all of a person's entries dropped", async () => {
    const force = createForce();
    force.record("b");
    force.record("a", { dropped: true });
    force.takeCensus();
    expect((await list(force)).faults).toEqual([{ kind: "tail-dropped", n: 1, seq: 1 }]);
  });

  test("does not find last entries dropped after the last census, as the spec says", async () => {
    const force = createHonest();
    force.record("a", { dropped: true });
    expect((await list(force)).complete).toBe(true);
    force.takeCensus();
    expect((await list(force)).faults).toEqual([{ kind: "tail-dropped", n: 5, seq: 3 }]);
  });

  test("notices a census that is not shown: first, middle, last", async () => {
    const force = createHonest();
    force.takeCensus();
    const asked = await force.askFor("a");
    const [one, two, three] = asked.censuses;
    if (!one || !two || !three) throw new Error("three");
    const faultsOf = async (censuses: ClaimedCensus[]) => (await listPerson({ ...asked, censuses })).faults;
    expect(await faultsOf([two, three])).toEqual([{ kind: "census-missing", seq: 1 }]);
    expect(await faultsOf([one, three])).toEqual([{ kind: "census-missing", seq: 2 }]);
    expect(await faultsOf([one, two])).toEqual([{ kind: "census-withheld", seq: 3, index: three.index }]);
    expect(await faultsOf([one, two, { ...three, index: two.index }])).toEqual([{ kind: "census-differs", seq: 3 }]);
    expect(
      await faultsOf([
        { ...two, seq: 1 },
        { ...three, seq: 2 },
      ]),
    ).toEqual([{ kind: "census-differs", seq: 1 }]);
  });

  test("notices a number that stands twice", async () => {
    const force = createHonest();
    force.record("a", { n: 2 });
    expect((await list(force)).faults).toEqual([{ kind: "duplicate", n: 2, indices: [2, 9] }]);
  });

  test("names changed openings by the hash in their leaf, and missing ones by their place", async () => {
    const force = createHonest();
    const { entry } = (await list(force)).entries[1] ?? {};
    if (!entry) throw new Error("listed");
    const digest = Buffer.from(parseLeaf(entry).openingsDigest).toString("hex");
    const whole = force.openings[2] ?? new Uint8Array(0);
    for (const at of [0, 5, whole.length - 1]) {
      force.openings[2] = whole.map((byte, place) => (place === at ? byte ^ 1 : byte));
      expect((await list(force)).faults).toEqual([{ kind: "openings-changed", n: 2, index: 2, digest }]);
    }
    delete force.openings[2];
    expect((await list(force)).faults).toEqual([{ kind: "openings-missing", n: 2, index: 2 }]);
  });

  test("notices an entry that its audit key does not open, and one about somebody else", async () => {
    const force = createHonest();
    const asked = await force.askFor("a");
    const unreadable = await listPerson({ ...asked, auditKey: auditKeyOf("b") });
    expect(new Set(unreadable.faults.map(({ kind }) => kind))).toEqual(new Set(["unreadable"]));
    force.record("a", { subject: "b" });
    expect((await list(force)).faults).toEqual([{ kind: "other-subject", n: 5, index: 9 }]);
  });

  test("notices a changed leaf of a map, another count, another person's proof, and a log of another root", async () => {
    const force = createHonest();
    const asked = await force.askFor("a");
    const other = await force.askFor("b");
    const differs = [{ kind: "census-differs", seq: 2 }];
    const [one, two] = asked.censuses;
    const theirs = other.censuses[1];
    if (!one || !two?.proof.end || !theirs) throw new Error("two");
    const { end } = two.proof;
    const changed = { ...two.proof, end: { ...end, commitment: end.commitment.map((byte) => byte ^ 1) } };
    for (const census of [
      { ...two, proof: changed },
      { ...two, n: 3 },
      { ...two, n: undefined },
      { ...two, n: -1 },
      { ...two, proof: theirs.proof },
      { ...two, detail: one.detail },
    ]) {
      expect((await listPerson({ ...asked, censuses: [one, census] })).faults).toEqual(differs);
    }
    const foreign = await listPerson({ ...asked, log: { ...asked.log, root: key("other root") } });
    expect(foreign.faults).toContainEqual({ kind: "not-included", index: 0 });
    expect(foreign.faults).toContainEqual({ kind: "census-differs", seq: 1 });
  });

  test("notices a count that falls, and a person who is left out", async () => {
    const force = createHonest();
    force.takeCensus({
      says: new Map([
        ["a", 3],
        ["b", 2],
      ]),
    });
    expect((await list(force)).faults).toEqual([{ kind: "count-fell", seq: 3 }]);
    expect((await list(force, "c")).faults).toEqual([{ kind: "left-out", seq: 3 }]);
  });

  test("takes no fault from a person who was recorded while a census was being taken", async () => {
    const force = createHonest();
    const before = new Map(force.counts);
    force.record("d");
    force.takeCensus({ says: before });
    expect(await list(force, "d")).toMatchObject({ faults: [], complete: false });
    force.takeCensus();
    expect(await list(force, "d")).toMatchObject({ faults: [], complete: true, censusSeq: 4 });
    expect((await list(force)).complete).toBe(true);
  });

  test("an erased person's leaf is frozen; everybody else's proofs, and the old ones, hold", async () => {
    const force = createHonest();
    const old = await force.askFor("b");
    force.erase("b");
    force.record("a");
    force.takeCensus();
    expect((await list(force)).complete).toBe(true);
    expect((await listPerson(old)).complete).toBe(true);
    const erased = censusKey(tagKeyOf("b"));
    const ends = force.censuses.map(({ map }) => map.prove(erased).end);
    expect(ends[2]).toEqual(ends[1]);
  });
});
