import type { KeyholderResponse } from "@tipstaff/release-protocol";
import { z } from "zod";

/** Where an entry stands in the log, and its operation id in hex. */
export type Place = { readonly index: number; readonly operation: string };

/** A release as its entry says it. Digests in hex, instants in RFC 3339. */
export type LoggedRelease = Place & {
  readonly kind: "release";
  readonly recipient: string;
  /** Empty where the entry cannot be opened and the keyholder alone remembers the release; so is `agreement`. */
  readonly order: string;
  readonly agreement: string;
  readonly job: string;
  readonly attempt: number;
  readonly identity: string;
  readonly at: string;
  /** Entries made before they said so have neither line nor chain value. */
  readonly line: string | undefined;
  readonly previous: string | undefined;
};
/** With what the keyholder decided; `decidedAt` is its own clock's. */
export type ReleaseEvent = LoggedRelease & {
  readonly outcome: "released" | "cancelled";
  readonly decidedAt: string;
};

type OfJob = Place & {
  readonly recipient: string;
  readonly order: string;
  readonly agreement: string;
  readonly job: string;
  readonly at: string;
};
export type ReceiptEvent = OfJob & {
  readonly kind: "receipt";
  readonly attempt: number;
  /** Of what the receipt says. */
  readonly digest: string;
  readonly line: string;
  readonly result: "produced" | "spoiled";
  readonly blank: string;
};
export type ReceivedEvent = OfJob & { readonly kind: "received" };
export type HandedOverEvent = OfJob & { readonly kind: "handed-over" };
export type ApprovedEvent = OfJob & { readonly kind: "attempt-approved"; readonly attempt: number };
export type ValidityEvent = Place & {
  readonly kind: "validity-changed";
  readonly card: string;
  readonly to: "active" | "suspended" | "revoked";
  readonly reason: string | undefined;
};
export type RestartEvent = Place & {
  readonly kind: "line-restarted";
  readonly recipient: string;
  readonly line: string;
  readonly restart: string;
  readonly first: string;
  readonly at: string;
};
export type RunClosedEvent = Place & { readonly kind: "run-closed"; readonly run: string; readonly at: string };
export type HoldPlacedEvent = Place & {
  readonly kind: "hold-placed";
  readonly recipient: string;
  readonly hold: string;
  readonly reason: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly at: string;
};
export type HoldLiftedEvent = Place & { readonly kind: "hold-lifted"; readonly hold: string; readonly at: string };
/** What the database had of it does not come back by itself: counted by its kind. */
export type OtherEvent = Place & { readonly kind: "other"; readonly of: string };

export type FollowUp =
  | ReceiptEvent
  | ReceivedEvent
  | HandedOverEvent
  | ApprovedEvent
  | ValidityEvent
  | RestartEvent
  | RunClosedEvent
  | HoldPlacedEvent
  | HoldLiftedEvent
  | OtherEvent;
/** What the log says happened, as far as the desk's tables follow from it. */
export type LogEvent = ReleaseEvent | FollowUp;

export type Said = NonNullable<KeyholderResponse<"facts/open">["facts"][number]>;

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const jobFields = z.object({
  ...{ recipient: z.string(), order: z.uuid(), job: z.uuid(), at: z.iso.datetime() },
  agreement: digest.or(z.literal("")),
});
const attemptFields = jobFields.extend({ attempt: z.coerce.number().int().min(1) });
const requestFields = attemptFields.extend({ request: digest });
const releaseDetail = z.object({ line: z.string(), previous: digest });
const receiptDetail = z.object({ line: z.string(), result: z.enum(["produced", "spoiled"]), blank: z.string() });
const validityDetail = z.object({
  card: z.uuid(),
  to: z.enum(["active", "suspended", "revoked"]),
  reason: z.string().optional(),
});
const restartDetail = z.object({ line: z.string(), restart: z.uuid(), first: z.uuid() });
const runDetail = z.object({ run: z.uuid() });
const placedDetail = z.looseObject({ hold: z.uuid(), reason: z.string() });
const liftedDetail = z.object({ hold: z.uuid() });
const headDetail = z.object({ size: z.int() });

/** Kinds of which the desk keeps nothing that anything is decided by. */
const WITHOUT_TRACE: ReadonlySet<string> = new Set(["opened", "journal-head", "census"]);

/** A release by its entry; undefined for anything else. */
export function toLoggedRelease(place: Place, said: Said): LoggedRelease | undefined {
  const read = requestFields.safeParse(said);
  if (said.kind !== "release" || !read.success) return undefined;
  const { request: identity, ...fields } = read.data;
  const detail = releaseDetail.safeParse(parseJson(said.detail));
  const { line, previous } = detail.success ? detail.data : {};
  return { ...place, kind: "release", ...fields, identity, line, previous };
}

/** What an entry of any other kind says; undefined where nothing follows from it. */
export function toFollowUp(place: Place, said: Said): FollowUp | undefined {
  if (WITHOUT_TRACE.has(said.kind)) return undefined;
  return READERS.get(said.kind)?.(place, said, parseJson(said.detail)) ?? { ...place, kind: "other", of: said.kind };
}

/** How long the keyholder's journal was by a `journal-head` entry; 0 for any other. */
export function toJournalSize(said: Said): number {
  const detail = headDetail.safeParse(said.kind === "journal-head" ? parseJson(said.detail) : undefined);
  return detail.success ? detail.data.size : 0;
}

type Reader = (place: Place, said: Said, detail: unknown) => FollowUp | undefined;

/** An entry that is not what its kind has is counted among the others, by its kind. */
const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ["receipt", readReceipt],
  ["received", (place, said) => readJob("received", place, said)],
  ["handed-over", (place, said) => readJob("handed-over", place, said)],
  ["attempt-approved", readApproval],
  ["validity-changed", readValidity],
  ["run-closed", readRunClosed],
  ["hold-placed", readHoldPlaced],
  ["hold-lifted", readHoldLifted],
]);

function readReceipt(place: Place, said: Said, detail: unknown): ReceiptEvent | undefined {
  const [fields, read] = [requestFields.safeParse(said), receiptDetail.safeParse(detail)];
  if (!fields.success || !read.success) return undefined;
  const { request, ...about } = fields.data;
  return { kind: "receipt", ...place, ...about, digest: request, ...read.data };
}

function readJob(
  kind: "received" | "handed-over",
  place: Place,
  said: Said,
): ReceivedEvent | HandedOverEvent | undefined {
  const fields = jobFields.safeParse(said);
  return fields.success ? { kind, ...place, ...fields.data } : undefined;
}

function readApproval(place: Place, said: Said): ApprovedEvent | undefined {
  const fields = attemptFields.safeParse(said);
  return fields.success ? { kind: "attempt-approved", ...place, ...fields.data } : undefined;
}

function readValidity(place: Place, _said: Said, detail: unknown): ValidityEvent | undefined {
  const read = validityDetail.safeParse(detail);
  return read.success ? { kind: "validity-changed", ...place, reason: undefined, ...read.data } : undefined;
}

function readRunClosed(place: Place, { at }: Said, detail: unknown): RunClosedEvent | undefined {
  const read = runDetail.safeParse(detail);
  return read.success ? { kind: "run-closed", ...place, ...read.data, at } : undefined;
}

function readHoldPlaced(place: Place, { recipient, at }: Said, detail: unknown): HoldPlacedEvent | undefined {
  const read = placedDetail.safeParse(detail);
  if (!read.success) return undefined;
  const { hold, reason, ...more } = read.data;
  return { kind: "hold-placed", ...place, recipient, hold, reason, detail: more, at };
}

/** Of a recipient, or of one stopped line. */
function readHoldLifted(place: Place, said: Said, detail: unknown): RestartEvent | HoldLiftedEvent | undefined {
  const { recipient, at } = said;
  const restart = restartDetail.safeParse(detail);
  if (restart.success) return { kind: "line-restarted", ...place, recipient, ...restart.data, at };
  const read = liftedDetail.safeParse(detail);
  return read.success ? { kind: "hold-lifted", ...place, ...read.data, at } : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
