import fc from "fast-check";
import { type Agreement, postSensitivities } from "./agreement-schema.ts";
import { categories } from "./categories.ts";
import type { MayQuestion } from "./may.ts";

/** A small agreement that says something in every clause that `may` reads. */
export const baseAgreement: Agreement = {
  id: "a-1",
  version: 1,
  controller: { id: "exampleshire-police", name: "Exampleshire Police", contact: "dpo@exampleshire.police.example" },
  recipient: { id: "cardmaker", name: "Cardmaker Limited", role: "processor", keys: [] },
  purpose: "Producing warrant cards",
  lawfulBasis: "UK GDPR Article 6(1)(e)",
  categories: [
    { category: "pd:Name", retention: { until: "receipt" } },
    { category: "pd:Job", retention: { duration: "P30D" } },
    { category: "tip:MobileNumber", retention: { until: "receipt" } },
  ],
  subjects: {
    include: { postSensitivity: ["ordinary", "covert"], cardKinds: ["warrant-card", "staff-pass"] },
    exclude: { postSensitivity: ["covert"], cardKinds: ["staff-pass"] },
  },
  never: ["tip:VettingLevel", "pd:Contact"],
  limits: {
    rate: { perHour: 360, burst: 10 },
    openPerLine: 1,
    lines: 64,
    unaccounted: 500,
    attempts: 2,
    receiptWithin: "PT2M",
    orderExpiresAfter: "P14D",
  },
  subProcessors: [],
  transfers: [],
  breachNoticeWithin: "PT24H",
  endOfContract: { action: "destroy", within: "P14D" },
  validity: { from: "2026-06-01T00:00:00.000Z", until: "2027-06-01T00:00:00.000Z" },
};

const category = fc.constantFrom(...categories.map(({ id }) => id));
const posts = fc.constantFrom(...postSensitivities);
const kinds = fc.constantFrom("warrant-card", "staff-pass", "contractor-pass");
const some = <Item>(item: fc.Arbitrary<Item>, minLength: number) => fc.uniqueArray(item, { minLength, maxLength: 3 });

const subjects = fc.record({
  include: fc.oneof(
    fc.record({ postSensitivity: some(posts, 1) }),
    fc.record({ postSensitivity: some(posts, 1), cardKinds: some(kinds, 1) }),
  ),
  exclude: fc.record({ postSensitivity: some(posts, 0), cardKinds: some(kinds, 0) }),
});

/** Agreements that differ in all that decides, and often contradict themselves. */
export const agreementArbitrary: fc.Arbitrary<Agreement> = fc
  .record({
    granted: fc.uniqueArray(category, { minLength: 1, maxLength: 40 }),
    never: fc.uniqueArray(category, { maxLength: 4 }),
    subjects: fc.option(subjects, { nil: undefined }),
  })
  .map(({ granted, never, subjects }) => ({
    ...baseAgreement,
    categories: granted.map((one) => ({ category: one, retention: { until: "receipt" } })),
    never,
    subjects,
  }));

/** Questions of which most are about an agreement in force with its own recipient. */
export const questionArbitrary: fc.Arbitrary<Omit<MayQuestion, "agreement">> = fc.record({
  recipient: fc.constantFrom("cardmaker", "cardmaker", "cardmaker", "somebody"),
  category,
  subject: fc.oneof(
    fc.constantFrom("public" as const, "unknown" as const),
    fc.record({ postSensitivity: posts, cardKind: fc.option(kinds) }),
  ),
  at: fc.date({ min: new Date("2026-05-01"), max: new Date("2027-07-01"), noInvalidDate: true }),
});
