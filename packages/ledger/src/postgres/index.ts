export { appendIntake, type IntakeResult, type IntakeRow, MAX_INTAKE_ROWS } from "./intake.ts";
export type { StoredEntry } from "./lookup.ts";
export { migrateLedger } from "./migrations.ts";
export type { SequencerLog, SequencerOptions, SignRequest } from "./options.ts";
export {
  createSequencer,
  type Sequencer,
  type SequencerHead,
  type SequencerProof,
  type SequencerState,
} from "./sequencer.ts";
export type { Logged } from "./waiters.ts";
