import { emptyRoot, encodeCheckpoint, signNote, verifyConsistency } from "@tipstaff/ledger";
import type { KeyholderRequest, KeyholderResponse } from "@tipstaff/release-protocol";
import { fromBase64, fromBase64url, toBase64url } from "../encoding.ts";
import type { Keyholder } from "../keyholder.ts";
import { RefusedCall } from "../server/refused-call.ts";
import { readSetting } from "../settings.ts";
import { bytesOf, numberOf } from "../store/columns.ts";
import type { Store } from "../store/store.ts";
import { judgeCheckpoint, type TreeHead } from "./judge-checkpoint.ts";

/** Checkpoints remembered, so that an inclusion proof to a slightly older one can still be judged. */
const REMEMBERED = 4096;

/** The last checkpoint that this keyholder signed, durable; an empty tree before the first. */
export function lastCheckpoint(store: Store): TreeHead {
  const row = store.get("select size, root from checkpoint order by size desc limit 1");
  return row === undefined
    ? { size: 0, root: emptyRoot() }
    : { size: numberOf(row, "size"), root: bytesOf(row, "root") };
}

/** Root of a checkpoint that this keyholder signed, if it is remembered. */
export function signedRoot(store: Store, size: number): Uint8Array | undefined {
  const row = store.get("select root from checkpoint where size = ?", size);
  return row && bytesOf(row, "root");
}

/** Signs what extends the last signed checkpoint, or is the same; remembered before it is answered. */
export function signCheckpoint(
  { store, keys }: Keyholder,
  { origin, oldSize, size, root, consistency }: KeyholderRequest<"checkpoints/sign">,
): KeyholderResponse<"checkpoints/sign"> {
  if (readSetting(store, "log-pinned") === undefined) {
    throw new RefusedCall("log-not-pinned", "the log's origin must be pinned at the console");
  }
  if (origin !== keys.checkpointSigner.name) {
    throw new RefusedCall("other-log", "this is not the log whose name this keyholder's key bears");
  }
  const proof = consistency.map(fromBase64).filter((hash) => hash !== undefined);
  const next = { size, root: fromBase64url(root) };
  return store.transaction(() => {
    const last = lastCheckpoint(store);
    const verdict = judgeCheckpoint(last, { ...next, oldSize, proof }, verifyConsistency);
    if (!verdict.ok) return { ...verdict, size: last.size, root: toBase64url(last.root) };
    if (size > last.size) {
      store.run("insert into checkpoint (size, root) values (?, ?)", size, next.root);
      store.run(
        "delete from checkpoint where size <= (select size from checkpoint order by size desc limit 1 offset ?)",
        REMEMBERED,
      );
    }
    const note = signNote(encodeCheckpoint({ origin, ...next }), [keys.checkpointSigner]);
    return { ok: true, note: Buffer.from(note).toString("utf8") };
  });
}
