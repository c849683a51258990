import { join } from "node:path";
import { loadTemplate, templateDigest } from "@tipstaff/artwork";
import { CARD_KINDS, type CardKind, isCardKind } from "../cards/card-kinds.ts";
import { DeskError } from "../server/desk-error.ts";

/** Reads every kind's template once and answers its digest; throws DeskError `bad-config` that tells all faults. */
export async function readTemplateDigests(folder: string): Promise<Record<CardKind, string>> {
  const kinds = Object.keys(CARD_KINDS).filter(isCardKind);
  const entries = await Promise.all(kinds.map(async (kind) => [kind, await digestOf(folder, kind)] as const));
  const digests = Object.fromEntries(entries);
  const [warrant, pass] = [digests["warrant-card"], digests["staff-pass"]];
  if (warrant === undefined || pass === undefined) throw new DeskError("broken-invariant", "A kind has no template");
  return { "warrant-card": warrant, "staff-pass": pass };
}

async function digestOf(folder: string, kind: CardKind): Promise<string> {
  const loaded = await loadTemplate(join(folder, kind));
  if (loaded.ok) return templateDigest(loaded.template);
  const faults = loaded.faults.map(({ file, key, problem }) => `${kind}/${file} ${key}: ${problem}`);
  throw new DeskError("bad-config", `The card templates have faults:\n  ${faults.join("\n  ")}`);
}
