export {
  type CensusDetail,
  encodeCensusDetail,
  parseCensusDetail,
} from "./completeness/census-detail.ts";
export {
  buildCensusMap,
  type CensusLeaf,
  type CensusMap,
  type CensusProof,
  type CensusVerdict,
  censusKey,
  censusLeaf,
  verifyCensusProof,
} from "./completeness/census-map.ts";
export type { CompletenessFault } from "./completeness/completeness-fault.ts";
export { type EntryIndex, indexInMemory } from "./completeness/entry-index.ts";
export {
  type ListedEntry,
  type ListPersonInput,
  listPerson,
  type PersonHistory,
} from "./completeness/list-person.ts";
export type { ListedLog } from "./completeness/listed-log.ts";
export type { ClaimedCensus } from "./completeness/verify-censuses.ts";
export type { MlDsa44Verify } from "./crypto.ts";
export { encodeCanonicalJson, type JsonValue } from "./entry/canonical-json.ts";
export {
  type ActorField,
  ENTRY_FIELDS,
  type EntryField,
  type EntryFields,
  type EntryKind,
  type EventField,
  isEntryKind,
  type SubjectField,
} from "./entry/fields.ts";
export {
  entryTag,
  isOpeningsOf,
  LEAF_LENGTH,
  type Leaf,
  type Opening,
  operationId,
  parseLeaf,
  verifyOpening,
} from "./entry/leaf.ts";
export { type OpenedPart, openActor, openEvent, openSubject } from "./entry/openings.ts";
export { type EntryInput, type PreparedEntry, prepareEntry } from "./entry/prepare-entry.ts";
export { LedgerError, type LedgerErrorCode } from "./error.ts";
export {
  type EvidenceInput,
  type EvidenceVerdict,
  encodeShownOpenings,
  parseShownOpenings,
  verifyEvidence,
} from "./evidence/verify-evidence.ts";
export {
  type Checkpoint,
  encodeCheckpoint,
  parseCheckpoint,
} from "./formats/checkpoint.ts";
export { type CosignatureVerdict, type Cosigner, createCosigner, verifyCosignature } from "./formats/cosignature.ts";
export { type CosignatureAlgorithm, type CosignerKey, parseCosignerKey } from "./formats/cosigner-key.ts";
export { type LogKey, parseLogKey } from "./formats/log-key.ts";
export { type CheckpointVerdict, openCheckpoint } from "./formats/open-checkpoint.ts";
export {
  type Policy,
  type PolicyLog,
  type PolicyWitness,
  parsePolicy,
  type Quorum,
} from "./formats/policy.ts";
export {
  createNoteSigner,
  encodeSignedNote,
  type NoteSignature,
  type NoteSigner,
  type NoteVerdict,
  parseSignatureLines,
  parseSignedNote,
  type SignedNote,
  signatureLines,
  signNote,
  verifyNote,
  verifySignatureLines,
} from "./formats/signed-note.ts";
export { encodeTlogProof, parseTlogProof, type TlogProof } from "./formats/tlog-proof.ts";
export { parseVerifierKey, type VerifierKey, verifyBytes } from "./formats/verifier-key.ts";
export { type PolicyVerdict, type VerifyPolicyInput, verifyPolicy, type WitnessTime } from "./formats/verify-policy.ts";
export { createHttpReader, type HttpReaderOptions } from "./http/http-reader.ts";
export { readOpenings } from "./storage/openings-files.ts";
export {
  CHECKPOINT_PATH,
  type LogReader,
  type LogStorage,
  loadEdge,
  readEntries,
  tileReaderOf,
} from "./storage/tile-storage.ts";
export { encodeBundle, parseBundle } from "./tree/bundle.ts";
export { edgeRoot, emptyEdge, extendEdge, type LogEdge, type LogFile } from "./tree/edge.ts";
export { emptyRoot, leafHash, nodeHash } from "./tree/hashes.ts";
export {
  type Bundle,
  entriesPath,
  openingsPath,
  parseTilePath,
  TILE_WIDTH,
  type Tile,
  tilePath,
} from "./tree/paths.ts";
export { createProver, type Prover, type TileReader } from "./tree/prover.ts";
export { type ConsistencyClaim, type InclusionClaim, verifyConsistency, verifyInclusion } from "./tree/verify-proof.ts";
export { type LogFault, type LogVerdict, type Scratch, type VerifyLogInput, verifyLog } from "./verify-log.ts";
export {
  type CosignRequest,
  type CosignResult,
  createWitnessClient,
  type WitnessClient,
  type WitnessClientOptions,
  type WitnessFailure,
} from "./witness/witness-client.ts";
