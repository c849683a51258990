import { encodeCanonicalJson, type JsonValue } from "@tipstaff/ledger";
import { sha256, sha256Hex, toHex } from "../encoding.ts";
import { bytesOf, numberOf, textOf } from "../store/columns.ts";
import type { Store } from "../store/store.ts";

/** What the keyholder did, in the words of its journal. */
export type JournalEvent =
  | "initialised"
  | "roots-created"
  | "roots-confirmed"
  | "roots-abandoned"
  | "root-erased"
  | "deks-opened"
  | "indexes-computed"
  | "tags-computed"
  | "facts-opened"
  | "openings-shown"
  | "history-keys-released"
  | "order-signed"
  | "releases-decided"
  | "accounted-counted"
  | "hold-placed"
  | "hold-lifted"
  | "attempt-approved"
  | "agreement-signed"
  | "agreement-pinned"
  | "recipient-pinned"
  | "log-pinned"
  | "witnesses-pinned"
  | "budget-raised";

export type JournalEntry = { seq: number; at: string; what: string; detail: string; hash: string };

const LABEL = Buffer.from("tipstaff/journal/v1", "utf8");
const START = new Uint8Array(32);

/**
 * The next hash of the journal's chain: SHA-256("tipstaff/journal/v1" ‖ previous ‖ u64be(seq) ‖ lp32(at) ‖ lp32(what)
 * ‖ lp32(detail)), lp32 being a 32-bit length and the bytes.
 */
export function chainJournal(previous: Uint8Array, entry: { seq: number; at: string; what: string; detail: string }) {
  const seq = Buffer.alloc(8);
  seq.writeBigUInt64BE(BigInt(entry.seq));
  const texts = [entry.at, entry.what, entry.detail].flatMap((text) => {
    const bytes = Buffer.from(text, "utf8");
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return [length, bytes];
  });
  return sha256(Buffer.concat([LABEL, previous, seq, ...texts]));
}

/**
 * Writes one entry; call it inside the transaction of what it tells. `persons` are kept beside the chain, which holds
 * their digest, so that the journal can say who was opened without growing unreadable.
 */
export function appendJournal(
  store: Store,
  entry: { at: Date; what: JournalEvent; detail: { readonly [name: string]: JsonValue }; persons?: readonly string[] },
): void {
  const last = store.get("select seq, hash from journal order by seq desc limit 1");
  const persons = entry.persons === undefined ? null : Buffer.from(entry.persons.join("\n"), "utf8");
  const named = persons === null ? {} : { count: entry.persons?.length ?? 0, persons: sha256Hex(persons) };
  const next = {
    seq: last === undefined ? 1 : numberOf(last, "seq") + 1,
    at: entry.at.toISOString(),
    what: entry.what,
    detail: encodeCanonicalJson({ ...entry.detail, ...named }),
  };
  const hash = chainJournal(last === undefined ? START : bytesOf(last, "hash"), next);
  store.run(
    "insert into journal (seq, at, what, detail, persons, hash) values (?, ?, ?, ?, ?, ?)",
    ...[next.seq, next.at, next.what, next.detail, persons, hash],
  );
}

/** How many entries there are, and the hash of the last in hex: it fixes all before. */
export function journalHead(store: Store): { size: number; head: string } {
  const last = store.get("select seq, hash from journal order by seq desc limit 1");
  if (last === undefined) return { size: 0, head: toHex(START) };
  return { size: numberOf(last, "seq"), head: toHex(bytesOf(last, "hash")) };
}

/** Entries after `from`, oldest first. */
export function readJournal(store: Store, { from, limit }: { from: number; limit: number }): JournalEntry[] {
  const rows = store.all(
    "select seq, at, what, detail, hash from journal where seq > ? order by seq limit ?",
    from,
    limit,
  );
  return rows.map((row) => ({
    seq: numberOf(row, "seq"),
    at: textOf(row, "at"),
    what: textOf(row, "what"),
    detail: textOf(row, "detail"),
    hash: toHex(bytesOf(row, "hash")),
  }));
}
