export { type RandomSource, systemRandom } from "./crypto.ts";
export {
  blindIndex,
  deriveIndexKey,
  fingerprintRow,
  INDEX_LENGTH,
  INDEXED_FIELDS,
  type IndexedField,
  pseudonymOf,
} from "./index-values.ts";
export { encodeJobContext, JOB_SUITE, type JobContext, parseJobContext } from "./job-context.ts";
export { type DisclosureFacts, unwrapJobKey, wrapJobKey } from "./job-key.ts";
export { createKeyFile, type KeyFilePlace, openKeyFile } from "./key-file.ts";
export { derivePersonKeys, deriveWrappingKey, type PersonKeys } from "./person-keys.ts";
export { openRecord, type RecordField, type RecordPlace, sealRecord } from "./record.ts";
export { generateOneTimeKey, type OneTimeKey, openRelease, sealRelease } from "./release-key.ts";
export { JOB_BUCKETS, type JobPayload, openJob, sealJob } from "./sealed-job.ts";
export { SealingError, type SealingErrorCode } from "./sealing-error.ts";
export { unwrapSecret, wrapSecret } from "./wrapped-secret.ts";
