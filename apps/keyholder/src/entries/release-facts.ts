import { encodeCanonicalJson } from "@tipstaff/ledger";
import type { DisclosureFacts } from "@tipstaff/sealing";

/** The `facts` of a release's entry: what was disclosed, about whom by pseudonym. One text for one disclosure. */
export const releaseFacts = (facts: DisclosureFacts, pseudonym: string): string => {
  const { cardKind, categories, postSensitivity, rank } = facts;
  return encodeCanonicalJson({ cardKind, categories: [...categories].sort(), postSensitivity, rank, pseudonym });
};
