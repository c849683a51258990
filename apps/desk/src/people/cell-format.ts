/** How a number in a cell is shown, as far as it matters: with leading zeros to `width`, as a day, or as it is. */
export type CellFormat =
  | { readonly kind: "plain" }
  | { readonly kind: "zeros"; readonly width: number }
  | { readonly kind: "date" };

const PLAIN: CellFormat = { kind: "plain" };
const DAY_MS = 86_400_000;

/** From a number format's id and code (ECMA-376 part 1, 18.8.30). */
export function toCellFormat(id: number, code: string | undefined): CellFormat {
  if (code === undefined) return (id >= 14 && id <= 17) || id === 22 ? { kind: "date" } : PLAIN;
  const shown = (code.split(";")[0] ?? "").replace(/"[^"]*"|\\.|_.|\*.|\[[^\]]*\]/g, "");
  if (/^0{2,}$/.test(shown.trim())) return { kind: "zeros", width: shown.trim().length };
  return /[dy]/i.test(shown) && !/[0#?]/.test(shown) ? { kind: "date" } : PLAIN;
}

/** The text of a number in a cell; whole numbers without exponent, days as ISO dates. */
export function formatNumber(raw: string, format: CellFormat, date1904: boolean): string {
  const value = Number(raw);
  if (raw.trim() === "" || !Number.isFinite(value)) return raw;
  if (format.kind === "date") return toDay(value, date1904) ?? raw;
  const plain = Number.isInteger(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER ? value.toFixed(0) : raw;
  return format.kind === "zeros" && value >= 0 ? plain.padStart(format.width, "0") : plain;
}

/** Day numbers count from 1899-12-31 with a 29 February 1900 that never was, or from 1904-01-01. */
function toDay(serial: number, date1904: boolean): string | undefined {
  const days = Math.floor(serial);
  if (days < 1 || days > 2_958_465) return undefined;
  const epoch = date1904 ? Date.UTC(1904, 0, 1) : Date.UTC(1899, 11, days < 60 ? 31 : 30);
  return new Date(epoch + days * DAY_MS).toISOString().slice(0, 10);
}
