export { type AddCheckpoint, encodeAddCheckpoint, parseAddCheckpoint } from "./add-checkpoint.ts";
export { type CosignDecision, decideCosign, type WitnessedHead, type WitnessedLog } from "./decide-cosign.ts";
export { createWitnessServer, MAX_REQUEST_BYTES, serveWitness } from "./serve-witness.ts";
export { openWitness, type Witness, type WitnessAnswer, type WitnessOptions } from "./witness.ts";
export { createWitnessStore, hasWitnessStore } from "./witness-store.ts";
