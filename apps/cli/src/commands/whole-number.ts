import { InvalidArgumentError } from "commander";

/** A whole number as an option's value; commander says which option it was. */
export function parseWholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("A whole number is required.");
}
