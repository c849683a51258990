import { readFileSync } from "node:fs";
import { formatFault, parseAgreement } from "@tipstaff/agreement";
import { signatureLines } from "@tipstaff/ledger";
import { BureauError } from "../bureau-error.ts";
import { type BureauKeys, readKeys } from "./keys.ts";
import { openPlace, readSettings } from "./place.ts";

/**
 * The bureau's signature line over an agreement's exact bytes. Throws `bad-input` for a file with faults, one that is with
 * another recipient, or one that names keys which are not this bureau's.
 */
export function signAgreement(options: { folder: string; file: string }): string {
  const place = openPlace(options.folder);
  const { recipient } = readSettings(place);
  const keys = readKeys(place, recipient);
  const bytes = readFileSync(options.file);
  const parsed = parseAgreement(bytes, { fileName: options.file });
  if (!parsed.ok) throw new BureauError("bad-input", parsed.faults.map(formatFault).join("\n"));
  const named = parsed.agreement.recipient;
  if (named.id !== recipient) throw new BureauError("bad-input", `${options.file} is not with ${recipient}`);
  assertOwnKeys(named.keys, keys);
  return signatureLines(bytes, [keys.noteSigner]);
}

/** Every key that an agreement names must be ours, and requests and receipts must be among them. */
export function assertOwnKeys(
  named: readonly { readonly id: string; readonly use: string; readonly publicKey: string }[],
  keys: BureauKeys,
): void {
  const own = [keys.requests, keys.receipts, keys.agreement];
  const isOurs = (key: { id: string; use: string; publicKey: string }) =>
    own.some(({ id, use, publicKey }) => id === key.id && use === key.use && publicKey === key.publicKey);
  const hasUse = (use: string) => named.some((key) => key.use === use);
  if (named.every(isOurs) && hasUse("requests") && hasUse("receipts")) return;
  throw new BureauError(
    "bad-input",
    "The agreement's recipient.keys are not this bureau's keys; see bureau init's answer",
  );
}
