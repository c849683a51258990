import { ArtworkError } from "./artwork-error.ts";

const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

/** `2029-11-30` as a card says it: 30 November 2029. @throws ArtworkError `card-broken` for anything but a real date. */
export function printedDate(date: string): string {
  const [, year = "", month = "", day = ""] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(date) ?? [];
  const instant = new Date(`${date}T00:00:00Z`);
  const real = year !== "" && !Number.isNaN(instant.getTime()) && instant.toISOString().startsWith(date);
  if (!real) throw new ArtworkError("card-broken", "a real expiry date YYYY-MM-DD is required");
  return `${Number(day)} ${MONTHS[Number(month) - 1]} ${year}`;
}
