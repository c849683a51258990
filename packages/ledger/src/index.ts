export { encodeCanonicalJson, type JsonValue } from "./entry/canonical-json.ts";
export {
  type ActorField,
  ENTRY_FIELDS,
  ENTRY_KINDS,
  type EntryField,
  type EntryFields,
  type EntryKind,
  type EventField,
  isEntryKind,
  MAX_JSON_BYTES,
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
  SALT_LENGTH,
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
  type CheckpointVerdict,
  encodeCheckpoint,
  isOrigin,
  openCheckpoint,
  parseCheckpoint,
} from "./formats/checkpoint.ts";
export {
  createNoteSigner,
  encodeSignedNote,
  MAX_NOTE_SIGNATURES,
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
export { encodeVerifierKey, isKeyName, parseVerifierKey, type VerifierKey } from "./formats/verifier-key.ts";
export { createHttpReader, type HttpReaderOptions } from "./http/http-reader.ts";
export { readOpenings } from "./storage/openings-files.ts";
export {
  CHECKPOINT_PATH,
  type LogReader,
  type LogStorage,
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
export { type LogFault, type LogVerdict, type VerifyLogInput, verifyLog } from "./verify-log.ts";
