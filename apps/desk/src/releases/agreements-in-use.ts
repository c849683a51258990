import { type KeyUse, parseAgreement, toLimits } from "@tipstaff/agreement";
import { type KeyObject, parsePublicKey } from "@tipstaff/release-protocol";
import type { Pool } from "pg";
import { DeskError } from "../server/desk-error.ts";
import type { AgreementInUse } from "./decide-release.ts";

/** How long a look at the table may be used, so that a new agreement is in use everywhere within a second. */
const FRESH_MS = 500;

export type RecipientKeyInUse = { readonly recipient: string; readonly use: KeyUse; readonly publicKey: KeyObject };

/** The agreements that are active, by digest (hex), and the keys that they name, by keyid. */
export type AgreementsInUse = {
  readonly byDigest: ReadonlyMap<string, AgreementInUse>;
  readonly keys: ReadonlyMap<string, readonly RecipientKeyInUse[]>;
};

/** Answers the active agreements as they stood at most half a second ago, or at this very moment with `now`. */
export type ReadAgreements = (freshness?: "now") => Promise<AgreementsInUse>;

/** Reads the active agreements, and keeps what was read for half a second. */
export function createAgreementsInUse(pool: Pool): ReadAgreements {
  let known: AgreementsInUse = { byDigest: new Map(), keys: new Map() };
  let loadedAt = Number.NEGATIVE_INFINITY;
  let loading: Promise<AgreementsInUse> | undefined;
  const load = async (): Promise<AgreementsInUse> => {
    const { rows } = await pool.query<{ digest: Buffer }>("select digest from agreement where superseded_at is null");
    const digests = rows.map(({ digest }) => digest.toString("hex"));
    const same = digests.length === known.byDigest.size && digests.every((digest) => known.byDigest.has(digest));
    if (!same) known = await readAgreements(pool);
    loadedAt = performance.now();
    return known;
  };
  return async (freshness) => {
    if (freshness !== "now" && performance.now() - loadedAt < FRESH_MS) return known;
    loading ??= load().finally(() => {
      loading = undefined;
    });
    return loading;
  };
}

async function readAgreements(pool: Pool): Promise<AgreementsInUse> {
  const { rows } = await pool.query<{ digest: Buffer; bytes: Buffer }>(
    "select digest, bytes from agreement where superseded_at is null",
  );
  const byDigest = new Map<string, AgreementInUse>();
  const keys = new Map<string, RecipientKeyInUse[]>();
  for (const { digest, bytes } of rows) {
    const hex = digest.toString("hex");
    const parsed = parseAgreement(bytes, { fileName: hex });
    if (!parsed.ok) throw new DeskError("broken-invariant", `The active agreement ${hex} cannot be read any more`);
    const { agreement } = parsed;
    if (agreement.limits !== undefined) byDigest.set(hex, { digest: hex, agreement, limits: toLimits(agreement) });
    for (const { id, use, publicKey } of agreement.recipient.keys) {
      const key = parsePublicKey(publicKey);
      if (key === undefined) throw new DeskError("broken-invariant", `A key of the active agreement ${hex} is no key`);
      keys.set(id, [...(keys.get(id) ?? []), { recipient: agreement.recipient.id, use, publicKey: key }]);
    }
  }
  return { byDigest, keys };
}
