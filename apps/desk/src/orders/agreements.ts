import { createHash } from "node:crypto";
import { type Agreement, diffAgreements, parseAgreement, verifyAgreement } from "@tipstaff/agreement";
import { LedgerError, parseSignatureLines, parseVerifierKey, verifySignatureLines } from "@tipstaff/ledger";
import type { Pool, PoolClient } from "pg";
import type { Desk } from "../desk.ts";
import { recordEntries } from "../entries/record-entries.ts";
import { DeskError } from "../server/desk-error.ts";

export type ActiveAgreement = { readonly digest: string; readonly agreement: Agreement };

/** The agreement with this recipient that was activated last, or undefined. Its validity is the caller's question. */
export async function findAgreement(db: Pool | PoolClient, recipient: string): Promise<ActiveAgreement | undefined> {
  const { rows } = await db.query<{ digest: Buffer; bytes: Buffer }>(
    "select digest, bytes from agreement where recipient = $1 and superseded_at is null",
    [recipient],
  );
  const row = rows[0];
  if (row === undefined) return undefined;
  const digest = row.digest.toString("hex");
  const parsed = parseAgreement(row.bytes, { fileName: digest });
  if (!parsed.ok) throw new DeskError("broken-invariant", `The active agreement ${digest} cannot be read any more`);
  return { digest, agreement: parsed.agreement };
}

export type SignedFile = { readonly bytes: Buffer; readonly signatures: string };
export type Activation =
  | {
      readonly ok: true;
      readonly state: "active" | "proposed";
      readonly agreement: string;
      readonly peopleNeeded: 1 | 2;
      readonly changes: readonly { readonly path: string; readonly effect: string; readonly words: string }[];
    }
  | { readonly ok: false; readonly reason: string; readonly detail?: string };

/**
 * Activates an agreement that both parties signed and the keyholder's console pinned. One that widens what may leave
 * takes two people: the first call proposes, the second one of somebody else activates.
 */
export async function activateAgreement(desk: Desk, file: SignedFile, actor: string): Promise<Activation> {
  const verified = verifyFile(desk, file);
  if (!verified.ok) return verified;
  const { agreement } = verified;
  const digest = createHash("sha256").update(file.bytes).digest("hex");
  const status = await desk.keyholder.call("status", {});
  if (!status.agreements.includes(digest)) {
    return { ok: false, reason: "not-pinned", detail: "Pin it at the keyholder's console first" };
  }
  const current = await findAgreement(desk.pool, agreement.recipient.id);
  const difference = current === undefined ? undefined : diffAgreements(current.agreement, agreement);
  const peopleNeeded = difference?.signaturesNeeded ?? 2;
  const told = { agreement: digest, peopleNeeded, changes: difference?.changes ?? [] };
  if (current?.digest === digest) return { ok: true, state: "active", ...told };
  const proposer = peopleNeeded === 2 ? await propose(desk, { digest, agreement, file, actor }) : null;
  if (proposer === actor) return { ok: true, state: "proposed", ...told };
  await activate(desk, { digest, agreement, file, actor, proposer, previous: current?.digest ?? null });
  return { ok: true, state: "active", ...told };
}

type Signed = { digest: string; agreement: Agreement; file: SignedFile; actor: string };

/** Answers who proposed it first: this actor, or somebody before. */
async function propose(desk: Desk, { digest, agreement, file, actor }: Signed): Promise<string> {
  await desk.pool.query(
    `insert into agreement_proposal (digest, recipient, bytes, signatures, proposed_by, proposed_at)
     values ($1, $2, $3, $4, $5, $6) on conflict do nothing`,
    [Buffer.from(digest, "hex"), agreement.recipient.id, file.bytes, file.signatures, actor, desk.now()],
  );
  const { rows } = await desk.pool.query<{ by: string }>(
    `select proposed_by "by" from agreement_proposal where digest = $1`,
    [Buffer.from(digest, "hex")],
  );
  if (rows[0] === undefined) throw new DeskError("broken-invariant", "A proposal vanished");
  return rows[0].by;
}

async function activate(
  desk: Desk,
  signed: Signed & { proposer: string | null; previous: string | null },
): Promise<void> {
  const { digest, agreement, file, actor, proposer, previous } = signed;
  const at = desk.now();
  const recipient = agreement.recipient.id;
  const draft = {
    ...{ kind: "agreement-activated", recipient, actor, agreement: digest },
    reference: `${digest}/${at.getTime()}`,
    at: at.toISOString(),
    detail: JSON.stringify({ id: agreement.id, people: proposer === null ? 1 : 2, version: agreement.version }),
  };
  await recordEntries(desk, [draft], async (client) => {
    const superseded = await client.query(
      "update agreement set superseded_at = $2 where recipient = $1 and superseded_at is null returning digest",
      [recipient, at],
    );
    const found = superseded.rows[0]?.digest;
    if ((Buffer.isBuffer(found) ? found.toString("hex") : null) !== previous) {
      throw new DeskError("unavailable", "Another agreement was activated at the same moment; ask again");
    }
    await client.query(
      `insert into agreement
         (digest, id, version, recipient, bytes, signatures, activated_by, seconded_by, activated_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
       on conflict (digest) do update set
         superseded_at = null, activated_by = $7, seconded_by = $8, activated_at = $9`,
      [
        ...[Buffer.from(digest, "hex"), agreement.id, agreement.version, recipient, file.bytes, file.signatures],
        ...[proposer ?? actor, proposer === null ? null : actor, at],
      ],
    );
    await client.query("delete from agreement_proposal where digest = $1", [Buffer.from(digest, "hex")]);
  });
}

type Verified = { ok: true; agreement: Agreement } | { ok: false; reason: string; detail?: string };

function verifyFile(desk: Desk, { bytes, signatures }: SignedFile): Verified {
  const controllerKey = parseVerifierKey(desk.forceVerifierKey);
  const named = readSigners(signatures);
  if (!named.ok) return { ok: false, reason: "signatures-malformed", detail: named.why };
  const known = Object.entries(desk.recipients).map(([id, key]) => ({ id, key: parseVerifierKey(key) }));
  const recipient = known.find(({ key }) => named.signers.includes(key.name));
  if (recipient === undefined) return { ok: false, reason: "recipient-not-signed" };
  const verified = verifyAgreement({
    ...{ bytes, signatures },
    parties: {
      controller: { id: desk.force, signer: controllerKey.name },
      recipient: { id: recipient.id, signer: recipient.key.name },
    },
    verifySignature: (text, lines) => {
      const verdict = verifySignatureLines(text, lines, [controllerKey, recipient.key]);
      return verdict.ok ? verdict.verified.map(({ name }) => name) : [];
    },
  });
  if (verified.ok) return verified;
  const faults = verified.faults?.map(({ line, key, expected }) => `line ${line}, ${key}: ${expected}`).join("; ");
  return { ok: false, reason: verified.reason, ...(faults === undefined ? {} : { detail: faults }) };
}

type Signers =
  | { readonly ok: true; readonly signers: readonly string[] }
  | { readonly ok: false; readonly why: string };

/** Which line is at fault is found by reading one more at a time; there are few. */
function readSigners(signatures: string): Signers {
  const lines = signatures.replace(/^\n+/, "").split(/(?<=\n)/);
  let signers: readonly string[] = [];
  for (const at of lines.keys()) {
    try {
      signers = parseSignatureLines(lines.slice(0, at + 1).join("")).map(({ name }) => name);
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      return { ok: false, why: `line ${at + 1}: ${error.message}` };
    }
  }
  return { ok: true, signers };
}
