const RANDOM_DIGITS = 9;

/** How many card numbers there are, for all kinds together. */
export const CARD_NUMBER_SPACE = 10 ** RANDOM_DIGITS;

/** The card number of a draw from 0 to CARD_NUMBER_SPACE - 1: nine digits and a Luhn check digit (ISO/IEC 7812-1). */
export function toCardNumber(drawn: number): string {
  const digits = String(drawn).padStart(RANDOM_DIGITS, "0");
  return `${digits}${checkDigit(digits)}`;
}

/** Is this a card number, typed without a slip? */
export function isCardNumber(text: string): boolean {
  return /^\d{10}$/.test(text) && text.endsWith(checkDigit(text.slice(0, RANDOM_DIGITS)));
}

function checkDigit(digits: string): string {
  let sum = 0;
  for (const [at, digit] of [...digits].reverse().entries()) {
    const value = at % 2 === 0 ? Number(digit) * 2 : Number(digit);
    sum += value > 9 ? value - 9 : value;
  }
  return String((10 - (sum % 10)) % 10);
}
