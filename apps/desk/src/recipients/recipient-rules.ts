const MOST_NAMED = 20;

export type RecipientVerdict = { readonly ok: true } | { readonly ok: false; readonly advice: string };

/**
 * May a question or an order about this recipient be answered at all? One that nobody knows is a slip of the pen: to
 * answer that nobody was exposed there, or that it is held, would be believed of the one that was meant.
 */
export function judgeRecipient(recipient: string, known: readonly string[]): RecipientVerdict {
  if (known.includes(recipient)) return { ok: true };
  const ids = [...new Set(known)].sort();
  if (ids.length === 0) return { ok: false, advice: "No recipient is known yet: activate an agreement first." };
  const further = ids.length > MOST_NAMED ? ` and ${ids.length - MOST_NAMED} more` : "";
  return { ok: false, advice: `Known are: ${ids.slice(0, MOST_NAMED).join(", ")}${further}.` };
}
