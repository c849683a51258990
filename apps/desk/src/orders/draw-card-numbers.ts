import { randomInt } from "node:crypto";
import type { Pool } from "pg";
import { CARD_NUMBER_SPACE, toCardNumber } from "../cards/card-number.ts";

/** Draws numbers that no card has and that are not in `taken`, and puts them there. */
export async function drawCardNumbers(pool: Pool, count: number, taken: Set<string>): Promise<string[]> {
  const drawn: string[] = [];
  while (drawn.length < count) {
    const candidates = new Set<string>();
    while (candidates.size < count - drawn.length) {
      const number = toCardNumber(randomInt(CARD_NUMBER_SPACE));
      if (!taken.has(number)) candidates.add(number);
    }
    const { rows } = await pool.query<{ number: string }>("select number from card where number = any($1)", [
      [...candidates],
    ]);
    for (const { number } of rows) candidates.delete(number);
    for (const number of candidates) {
      taken.add(number);
      drawn.push(number);
    }
  }
  return drawn;
}
