import type { ConsoleCall, KeyholderCall, KeyholderRequest, KeyholderResponse } from "@tipstaff/release-protocol";
import { pinAgreement, pinLog, pinRecipient, signAgreement } from "./agreements/agreement-calls.ts";
import { pinnedDigests } from "./agreements/agreement-store.ts";
import { budgetLeft, openDeks, raiseBudget } from "./budget/budget-calls.ts";
import { censusLeaves } from "./census/census-leaves.ts";
import { releaseHistoryKeys } from "./census/release-history.ts";
import { showCensuses } from "./census/show-censuses.ts";
import { lastCheckpoint, signCheckpoint } from "./checkpoints/sign-checkpoint.ts";
import type { ConsoleRequest, ConsoleResponse } from "./console-types.ts";
import { toBase64url } from "./encoding.ts";
import { computeTags } from "./entries/compute-tags.ts";
import { prepareEntries } from "./entries/prepare-entries.ts";
import { openFacts } from "./facts/open-facts.ts";
import { recallJobs } from "./facts/recall-jobs.ts";
import { showOpenings } from "./facts/show-openings.ts";
import { liftHold, openHolds, placeHold } from "./holds/hold-calls.ts";
import { computeIndexes } from "./indexes/compute-indexes.ts";
import { journalHead, readJournal } from "./journal/journal.ts";
import type { Keyholder } from "./keyholder.ts";
import { signOrder, wrapJobs } from "./orders/order-calls.ts";
import { approveAttempt, countAccounted, countReceipts } from "./releases/count-receipts.ts";
import { decideReleases } from "./releases/decide-releases.ts";
import { readOutcomes } from "./releases/release-outcomes.ts";
import { abandonRoots, confirmRoots, createRoots, eraseRoot } from "./roots/root-calls.ts";
import { pinnedWitnesses, pinWitnesses } from "./witnesses/witness-policy.ts";

type Answer<T> = T | Promise<T>;

/** What the desk may ask. */
export type KeyholderHandlers = {
  readonly [C in KeyholderCall]: (keyholder: Keyholder, request: KeyholderRequest<C>) => Answer<KeyholderResponse<C>>;
};

/** What the console may ask besides. */
export type ConsoleHandlers = {
  readonly [C in ConsoleCall]: (keyholder: Keyholder, request: ConsoleRequest<C>) => Answer<ConsoleResponse<C>>;
};

function readStatus(keyholder: Keyholder): KeyholderResponse<"status"> {
  const { store, force, keys } = keyholder;
  const { size, root } = lastCheckpoint(store);
  return {
    force,
    logVerifierKey: keys.checkpointSigner.verifierKey,
    forceVerifierKey: keys.forceSigner.verifierKey,
    agreements: pinnedDigests(store),
    witnessPolicy: pinnedWitnesses(keyholder),
    budgetLeft: budgetLeft(keyholder),
    checkpoint: { size, root: toBase64url(root) },
    holds: openHolds(store),
  };
}

export const keyholderHandlers: KeyholderHandlers = {
  "roots/create": createRoots,
  "roots/confirm": confirmRoots,
  "roots/abandon": abandonRoots,
  "roots/erase": eraseRoot,
  "deks/open": openDeks,
  "indexes/compute": computeIndexes,
  "entries/prepare": prepareEntries,
  "tags/compute": computeTags,
  "census/leaves": censusLeaves,
  "census/show": showCensuses,
  "history/keys": releaseHistoryKeys,
  "jobs/wrap": wrapJobs,
  "orders/sign": signOrder,
  "releases/decide": decideReleases,
  "releases/outcomes": readOutcomes,
  "receipts/count": countReceipts,
  "accounted/count": countAccounted,
  "jobs/recall": recallJobs,
  "holds/place": placeHold,
  "holds/lift": liftHold,
  "attempts/approve": approveAttempt,
  "facts/open": openFacts,
  "checkpoints/sign": signCheckpoint,
  "journal/head": ({ store }) => journalHead(store),
  status: readStatus,
};

export const consoleHandlers: ConsoleHandlers = {
  "agreements/pin": pinAgreement,
  "agreements/sign": signAgreement,
  "log/pin": pinLog,
  "witnesses/pin": pinWitnesses,
  "recipients/pin": pinRecipient,
  "budget/raise": raiseBudget,
  "openings/show": showOpenings,
  journal: ({ store }, asked) => ({ entries: readJournal(store, asked) }),
  status: readStatus,
};
