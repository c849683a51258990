export {
  ENCAPSULATED_LENGTH,
  lineSchema,
  ONE_TIME_KEY_LENGTH,
  type OrderManifest,
  orderListSchema,
  orderManifestSchema,
  type RawRequest,
  type Receipt,
  type ReleaseAnswer,
  type ReleaseRequest,
  rawRequestSchema,
  receiptSchema,
  releaseAnswerSchema,
  releaseRequestSchema,
  revealedSchema,
  runListSchema,
  runSchema,
  SPOIL_REASONS,
} from "./bureau-messages.ts";
export { type KeyObject, parsePublicKey } from "./crypto.ts";
export type { Content } from "./http-fields.ts";
export { KEYHOLDER_BATCH } from "./keyholder/batch.ts";
export { type ConsoleCall, consoleCalls } from "./keyholder/console-calls.ts";
export {
  type KeyholderCall,
  type KeyholderRequest,
  type KeyholderResponse,
  keyholderCalls,
} from "./keyholder/keyholder-calls.ts";
export { type EntryDraft, entryDraftSchema, KEYHOLDER_TAGS } from "./keyholder/ledger-calls.ts";
export { OPENING_PURPOSES } from "./keyholder/register-calls.ts";
export type { Outcome } from "./keyholder/release-calls.ts";
export { isRefusalCode, REFUSALS, type RefusalCode } from "./refusals.ts";
export { type ReceivedReply, type ReplyToSign, signReply, type VerifiedReply, verifyReply } from "./reply-signature.ts";
export {
  CLOCK_SKEW_SECONDS,
  MAX_LIFETIME_SECONDS,
  NONCE_LENGTH,
  type RequestToSign,
  type RequestVerification,
  type SignedHeaders,
  signRequest,
  type VerifiedRequest,
  verifyRequest,
} from "./request-signature.ts";
export {
  chainNext,
  chainRestart,
  chainStart,
  orderStatement,
  outcomeStatement,
  releaseDetail,
  releaseIdentity,
  releaseInfo,
} from "./statements.ts";
