import { readFileSync } from "node:fs";
import { join } from "node:path";

const KEYS = / {2}keys:\n[\s\S]*? {2}# end of keys\n/;
const RECEIPT_WITHIN = /^ {2}receiptWithin: .*$/m;

/**
 * The example agreement with a recipient's real keys in the place of the placeholders, and with a shorter wait for
 * receipts, so that a demonstration need not wait for two minutes to show an overdue one.
 */
export function exampleAgreement(
  repository: string,
  options: { keys: readonly { id: string; use: string; publicKey: string }[]; receiptWithin: string },
): string {
  const text = readFileSync(join(repository, "examples/agreements/card-contractor.yaml"), "utf8");
  if (!KEYS.test(text) || !RECEIPT_WITHIN.test(text)) throw new Error("card-contractor.yaml has lost its marks");
  const keys = options.keys.map(
    ({ id, use, publicKey }) => `    - id: ${id}\n      use: ${use}\n      publicKey: ${publicKey}\n`,
  );
  return text
    .replace(KEYS, `  keys:\n${keys.join("")}`)
    .replace(RECEIPT_WITHIN, `  receiptWithin: ${options.receiptWithin}`);
}
