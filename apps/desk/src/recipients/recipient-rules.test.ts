import { expect, it } from "vitest";
import { judgeRecipient } from "./recipient-rules.ts";

it("judgeRecipient() accepts a recipient that is known", () => {
  expect(judgeRecipient("cardmaker", ["other", "cardmaker"])).toEqual({ ok: true });
});

it("judgeRecipient() refuses one letter too few, another case, and a part of a name, and names those known", () => {
  for (const slip of ["cardmakr", "Cardmaker", "card", ""]) {
    expect(judgeRecipient(slip, ["cardmaker", "archive", "archive"])).toEqual({
      ok: false,
      advice: "Known are: archive, cardmaker.",
    });
  }
});

it("judgeRecipient() refuses everybody where nobody is known", () => {
  expect(judgeRecipient("cardmaker", [])).toMatchObject({
    ok: false,
    advice: expect.stringMatching(/activate an agreement/),
  });
});

it("judgeRecipient() names twenty and counts the others", () => {
  const known = Array.from({ length: 23 }, (_, at) => `maker-${String(at).padStart(2, "0")}`);
  expect(judgeRecipient("x", known)).toMatchObject({ advice: expect.stringMatching(/maker-19 and 3 more\.$/) });
});
