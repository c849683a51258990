import { parentPort } from "node:worker_threads";
import { buildCensusMap, LedgerError } from "@tipstaff/ledger";
import { parseLeaves } from "./census-leaves-files.ts";
import type { BuiltMap, MapQuestion } from "./map-thread.ts";

/** Runs in a worker thread: a large force's map takes seconds to hash. */
parentPort?.on("message", ({ leaves, key }: MapQuestion) => parentPort?.postMessage(build(leaves, key)));

function build(leaves: Uint8Array, key: Uint8Array | undefined): BuiltMap | undefined {
  try {
    const map = buildCensusMap(parseLeaves(leaves));
    return { root: map.root, proof: key && map.prove(key) };
  } catch (error) {
    if (error instanceof LedgerError && error.code === "census-malformed") return undefined;
    throw error;
  }
}
