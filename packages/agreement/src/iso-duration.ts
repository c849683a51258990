const SECONDS = { week: 604_800, day: 86_400, hour: 3_600, minute: 60 };
const YEAR_DAYS = { shortest: 365, longest: 366 };
const MONTH_DAYS = { shortest: 28, longest: 31 };
const pattern =
  /^P(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,5})M)?(?:(\d{1,6})S)?)?$/;

/** How many seconds a duration can last; the two differ only where it names years or months. */
export type DurationRange = { readonly shortestSeconds: number; readonly longestSeconds: number };

/**
 * Reads an ISO 8601 duration of whole numbers (`PT2M`, `P14D`, `P7Y`); weeks may stand beside the others.
 * Undefined for anything else, also for a length of nothing.
 */
export const parseDuration = (text: string): DurationRange | undefined => {
  const match = pattern.exec(text);
  if (match === null || text.endsWith("T")) return undefined;
  const part = (index: number): number => Number(match[index] ?? 0);
  const fixed =
    part(3) * SECONDS.week + part(4) * SECONDS.day + part(5) * SECONDS.hour + part(6) * SECONDS.minute + part(7);
  const length = (end: "shortest" | "longest"): number =>
    fixed + (part(1) * YEAR_DAYS[end] + part(2) * MONTH_DAYS[end]) * SECONDS.day;
  const range = { shortestSeconds: length("shortest"), longestSeconds: length("longest") };
  return range.shortestSeconds > 0 ? range : undefined;
};

/** Whole seconds of a duration without years and months; undefined for those and for text that is no duration. */
export const parseExactSeconds = (text: string): number | undefined => {
  const range = parseDuration(text);
  return range !== undefined && range.shortestSeconds === range.longestSeconds ? range.shortestSeconds : undefined;
};

/** `P7Y` as `7 years`, `PT2M` as `2 minutes`; text that is no duration comes back as it is. */
export const explainDuration = (text: string): string => {
  const match = pattern.exec(text);
  if (match === null) return text;
  const units = ["year", "month", "week", "day", "hour", "minute", "second"];
  const parts = units.flatMap((unit, index) => {
    const count = Number(match[index + 1] ?? 0);
    return count === 0 ? [] : [`${count} ${unit}${count === 1 ? "" : "s"}`];
  });
  return parts.join(" ");
};
