import fc from "fast-check";
import { expect, it } from "vitest";
import { CARD_NUMBER_SPACE, isCardNumber, toCardNumber } from "./card-number.ts";

const draw = fc.integer({ min: 0, max: CARD_NUMBER_SPACE - 1 });

it("toCardNumber() makes ten digits that isCardNumber() accepts", () => {
  fc.assert(fc.property(draw, (drawn) => isCardNumber(toCardNumber(drawn)) && toCardNumber(drawn).length === 10));
});

it("isCardNumber() refuses every single wrong digit", () => {
  fc.assert(
    fc.property(draw, fc.nat(9), fc.integer({ min: 1, max: 9 }), (drawn, place, shift) => {
      const number = toCardNumber(drawn);
      const wrong = (Number(number[place]) + shift) % 10;
      return !isCardNumber(`${number.slice(0, place)}${wrong}${number.slice(place + 1)}`);
    }),
  );
});

it("isCardNumber() refuses other lengths, letters, spaces", () => {
  for (const text of ["", "0", "00000000000", "000000000a", " 000000000", "０００００００００0"])
    expect(isCardNumber(text)).toBe(false);
});

it("toCardNumber() agrees with the published example of ISO/IEC 7812-1 on nine digits", () => {
  // 7992739871 has check digit 3 there; its last nine digits keep the doubling of every place but the first.
  expect(toCardNumber(992739871).at(-1)).toBe("0");
});
