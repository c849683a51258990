export { type AddCheckpoint, encodeAddCheckpoint, parseAddCheckpoint } from "./add-checkpoint.ts";
export type { WitnessedLog } from "./decide-cosign.ts";
export { createWitnessServer, serveWitness } from "./serve-witness.ts";
export { openWitness, type Witness, type WitnessAnswer, type WitnessOptions } from "./witness.ts";
export { createWitnessStore, hasWitnessStore } from "./witness-store.ts";
