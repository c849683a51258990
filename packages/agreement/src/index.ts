export { AgreementError, type AgreementErrorCode } from "./agreement-error.ts";
export {
  type Agreement,
  agreementJsonSchema,
  type Grant,
  type KeyUse,
  type PostSensitivity,
  postSensitivities,
  type RecipientKey,
  type Retention,
} from "./agreement-schema.ts";
export {
  type Category,
  type CategoryId,
  categories,
  type FoundCategory,
  findCategory,
  isCategoryId,
  isUnder,
  toCategoryLabel,
} from "./categories.ts";
export { checkSignable } from "./check-signable.ts";
export { type AgreementDiff, type Change, diffAgreements, type Effect } from "./diff-agreements.ts";
export { explainAgreement } from "./explain-agreement.ts";
export { type Fault, formatFault } from "./faults.ts";
export { type Limits, toLimits } from "./limits.ts";
export { type Clause, type MayAnswer, type MayQuestion, type MayRefusal, may, type Subject } from "./may.ts";
export { type ParsedAgreement, parseAgreement } from "./parse-agreement.ts";
export {
  type AgreementRefusal,
  type Party,
  type SignedAgreement,
  type VerifiedAgreement,
  type VerifySignature,
  verifyAgreement,
} from "./verify-agreement.ts";
