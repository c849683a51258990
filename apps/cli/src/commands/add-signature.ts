import { parseSignatureLines } from "@tipstaff/ledger";

export type AddedSignature = {
  /** The whole of the `.sig` file after it. */
  readonly content: string;
  readonly outcome: "added" | "stood there" | "replaced";
};

/**
 * Puts a signature line into the content of a `.sig` file. A file with two lines by one key is read by nobody, so the
 * same line is not added again, and one by the same key over other bytes gives way. Throws LedgerError where `line` is no
 * signature line.
 */
export function addSignature(before: string, line: string): AddedSignature {
  const [own] = parseSignatureLines(`${line.trimEnd()}\n`);
  const rows = before.split("\n").filter((row) => row.trim() !== "");
  const isOwn = (row: string) => {
    const key = keyOf(row);
    return key !== undefined && key.name === own?.name && key.keyId === own.keyId;
  };
  const content = [...rows.filter((row) => !isOwn(row)), line.trimEnd(), ""].join("\n");
  const earlier = rows.filter(isOwn);
  if (earlier.length === 1 && earlier[0] === line.trimEnd()) return { content: before, outcome: "stood there" };
  return { content, outcome: earlier.length === 0 ? "added" : "replaced" };
}

function keyOf(row: string) {
  try {
    return parseSignatureLines(`${row}\n`)[0];
  } catch {
    return undefined;
  }
}
