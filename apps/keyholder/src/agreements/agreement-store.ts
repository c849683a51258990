import { type Agreement, type KeyUse, parseAgreement } from "@tipstaff/agreement";
import { type KeyObject, parsePublicKey } from "@tipstaff/release-protocol";
import { bytesOf, numberOf, textOf } from "../store/columns.ts";
import type { Store } from "../store/store.ts";

/** An agreement that both parties signed and the console pinned. */
export type PinnedAgreement = {
  readonly agreement: Agreement;
  /** Another pinned agreement replaced it: nothing more is released under it. Its receipts still count. */
  readonly superseded: boolean;
  /** The recipient's Ed25519 key of this id and use. */
  readonly keyFor: (use: KeyUse, keyid: string) => KeyObject | undefined;
};

/** Agreements by digest, each read once for the length of one call. */
export function createAgreementReader(store: Store): (digest: string) => PinnedAgreement | undefined {
  const known = new Map<string, PinnedAgreement | undefined>();
  return (digest) => {
    if (!known.has(digest)) known.set(digest, readAgreement(store, digest));
    return known.get(digest);
  };
}

function readAgreement(store: Store, digest: string): PinnedAgreement | undefined {
  const row = store.get("select bytes, superseded from agreement where digest = ?", digest);
  if (row === undefined) return undefined;
  const { agreement, keys } = cachedParse(digest, bytesOf(row, "bytes"));
  return {
    agreement,
    superseded: numberOf(row, "superseded") === 1,
    keyFor: (use, keyid) => keys.find((key) => key.id === keyid && key.use === use)?.publicKey,
  };
}

type ParsedAgreement = {
  readonly agreement: Agreement;
  readonly keys: readonly { readonly id: string; readonly use: KeyUse; readonly publicKey: KeyObject | undefined }[];
};

const PARSED_LIMIT = 64;
const parsed = new Map<string, ParsedAgreement>();

/** A digest stands for its bytes, so that what was parsed once need not be again. */
function cachedParse(digest: string, bytes: Uint8Array): ParsedAgreement {
  const known = parsed.get(digest);
  if (known !== undefined) return known;
  const read = parseAgreement(bytes, { fileName: digest });
  if (!read.ok) throw new Error("a pinned agreement can no longer be read");
  const keys = read.agreement.recipient.keys.map(({ id, use, publicKey }) => ({
    ...{ id, use },
    publicKey: parsePublicKey(publicKey),
  }));
  const made = { agreement: read.agreement, keys };
  if (parsed.size >= PARSED_LIMIT) parsed.clear();
  parsed.set(digest, made);
  return made;
}

/**
 * Ends every pinned agreement with this recipient that another one supersedes, and with it all its earlier versions:
 * whichever was pinned first, and though the versions between were never pinned.
 */
export function endReplaced(store: Store, recipient: string): void {
  const read = createAgreementReader(store);
  for (const row of store.all("select digest from agreement where recipient = ?", recipient)) {
    const digest = textOf(row, "digest");
    const supersedes = read(digest)?.agreement.supersedes;
    if (supersedes === undefined) continue;
    store.run(
      "update agreement set superseded = 1 where id = ? and version <= ? and recipient = ? and digest <> ?",
      ...[supersedes.id, supersedes.version, recipient, digest],
    );
  }
}

/** Digests of the agreements under which something may be released. */
export const pinnedDigests = (store: Store): string[] =>
  store.all("select digest from agreement where superseded = 0 order by digest").map((row) => textOf(row, "digest"));

/** Digests of every agreement ever pinned with this recipient, the superseded ones too. */
export const digestsOf = (store: Store, recipient: string): string[] =>
  store.all("select digest from agreement where recipient = ?", recipient).map((row) => textOf(row, "digest"));

/** Verifier keys pinned for recipients. */
export const recipientKeys = (store: Store): { recipient: string; verifierKey: string }[] =>
  store
    .all("select recipient, verifier_key from recipient_key order by recipient")
    .map((row) => ({ recipient: textOf(row, "recipient"), verifierKey: textOf(row, "verifier_key") }));
