import type { Actor } from "../access/roles.ts";
import type { RevocationReason } from "../cards/states.ts";
import type { Desk } from "../desk.ts";
import { recordEntries } from "../entries/record-entries.ts";
import { type CustodyRefusal, custodyAfter, refuseValidity, type ValidityChange } from "./custody-rules.ts";
import { CardMoved, findCardsByNumber, lockCards, recordCardEvents, whileCardsStand } from "./find-cards.ts";

export type ChangedValidity =
  | { readonly ok: true; readonly number: string; readonly validity: ValidityChange; readonly custody: string }
  | { readonly ok: false; readonly reason: CustodyRefusal };

/** Suspends a card, ends a suspension, or revokes it for a reason. */
export function changeValidity(
  desk: Desk,
  actor: Actor,
  change: { number: string; to: ValidityChange; reason: RevocationReason | undefined },
): Promise<ChangedValidity> {
  const { number, to, reason } = change;
  return whileCardsStand(async () => {
    const [card] = await findCardsByNumber(desk.pool, [number]);
    const refusal = refuseValidity(card, to);
    if (card === undefined || refusal !== undefined) return { ok: false, reason: refusal ?? "unknown-card" };
    const at = desk.now();
    const custody = custodyAfter(card.custody, reason);
    const draft = {
      ...{ kind: "validity-changed", reference: `${card.card}/${to}/${at.getTime()}`, subject: card.personId },
      ...{ actor: actor.id, at: at.toISOString() },
      detail: JSON.stringify({ card: card.card, from: card.validity, ...(reason ? { reason } : {}), to }),
    };
    await recordEntries(desk, [draft], async (client) => {
      const now = (await lockCards(client, [card.card])).get(card.card);
      if (now?.validity !== card.validity || now.custody !== card.custody) throw new CardMoved();
      await client.query("update card set validity = $2, custody = $3, revoked_reason = $4 where id = $1", [
        ...[card.card, to, custody, to === "revoked" ? (reason ?? null) : null],
      ]);
      await recordCardEvents(client, { cards: [card.card], actor: actor.id, what: to, at });
    });
    return { ok: true, number, validity: to, custody };
  });
}
