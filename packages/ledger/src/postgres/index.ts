export type { EntryState } from "./entry-state.ts";
export { type FsckFault, type FsckInput, type FsckVerdict, fsckLog } from "./fsck.ts";
export type { DatabaseFault } from "./fsck-database.ts";
export type { KnownHead } from "./head-fits.ts";
export { appendIntake, type IntakeResult, type IntakeRow, MAX_INTAKE_ROWS } from "./intake.ts";
export type { StoredEntry } from "./lookup.ts";
export { migrateLedger } from "./migrations.ts";
export type { SequencerLog, SequencerOptions, SignRequest } from "./options.ts";
export { type RebuildDatabaseInput, type Rebuilt, rebuildDatabase } from "./rebuild-database.ts";
export { type RebuildFolderInput, rebuildFolder } from "./rebuild-folder.ts";
export { openRestores, type Restore, settleRestores } from "./restores.ts";
export {
  createSequencer,
  type Sequencer,
  type SequencerHead,
  type SequencerProof,
  type SequencerState,
} from "./sequencer.ts";
export { createIntake, type Intake } from "./shared-intake.ts";
export type { Logged } from "./waiters.ts";
