import type { Agreement } from "./agreement-schema.ts";
import { isUnder, toCategoryLabel } from "./categories.ts";
import { explainRetention } from "./explain-retention.ts";
import { explainDuration } from "./iso-duration.ts";

/** An agreement in plain English, for whoever signs it: several lines, ended by a newline. Not a substitute for the file. */
export const explainAgreement = (agreement: Agreement): string =>
  [
    ...explainParties(agreement),
    "",
    ...explainGrants(agreement),
    "",
    ...explainNever(agreement),
    ...explainSubjects(agreement),
    ...explainLimits(agreement),
    ...explainOnward(agreement),
    "",
  ].join("\n");

const ROLES = {
  processor: "as a processor, on the force's behalf",
  controller: "as a controller in its own right",
  "third-party": "as a third party",
};

const explainParties = ({ id, version, supersedes, controller, recipient, ...rest }: Agreement): string[] => [
  `Agreement ${id}, version ${version}${supersedes === undefined ? "" : `, in place of ${supersedes.id}, version ${supersedes.version}`}.`,
  `${controller.name} lets ${recipient.name} (${recipient.id}) hold personal data ${ROLES[recipient.role]}.`,
  `What for: ${rest.purpose}`,
  `Lawful basis: ${rest.lawfulBasis}`,
  `In force from ${rest.validity.from} until just before ${rest.validity.until}, UTC.`,
];

const explainGrants = ({ categories, never, recipient }: Agreement): string[] => [
  `${recipient.name} may hold exactly this, and nothing else:`,
  ...categories.map(({ category, retention }) => {
    const overruled = never.some((forbidden) => isUnder(category, forbidden));
    const note = overruled ? " - but not while it is forbidden below, which is stronger" : "";
    return `- ${toCategoryLabel(category)} (${category}), ${explainRetention(retention)}${note}`;
  }),
];

const explainNever = ({ never }: Agreement): string[] =>
  never.length === 0
    ? []
    : [
        "Forbidden whatever else is written, with every kind of it:",
        ...never.map((category) => `- ${toCategoryLabel(category)} (${category})`),
        "",
      ];

const join = (words: readonly string[]): string => words.join(", ");

const explainSubjects = ({ subjects }: Agreement): string[] => {
  if (subjects === undefined) return ["It covers members of the public, and nobody of the force.", ""];
  const { include, exclude } = subjects;
  const cards = include.cardKinds === undefined ? "" : `, and only for these cards: ${join(include.cardKinds)}`;
  return [
    `It covers people of the force in ${join(include.postSensitivity)} posts${cards}.`,
    ...(exclude.postSensitivity.length === 0 ? [] : [`Never people in ${join(exclude.postSensitivity)} posts.`]),
    ...(exclude.cardKinds.length === 0 ? [] : [`Never for these cards: ${join(exclude.cardKinds)}.`]),
    "",
  ];
};

const explainLimits = ({ limits }: Agreement): string[] =>
  limits === undefined
    ? []
    : [
        `Cards are released one at a time: at most ${limits.rate.perHour} an hour and ${limits.rate.burst} at once; ${limits.openPerLine} open on each line, and ${limits.lines} lines for ever;`,
        `${limits.unaccounted} not yet scanned in at the force; each at most ${limits.attempts} times without a person's approval.`,
        `A receipt is due within ${explainDuration(limits.receiptWithin)}; what is not released within ${explainDuration(limits.orderExpiresAfter)} expires.`,
        "",
      ];

const explainOnward = ({ subProcessors, transfers, endOfContract, ...rest }: Agreement): string[] => [
  subProcessors.length === 0
    ? "It may be passed on to nobody."
    : `It may be passed on to: ${subProcessors.map(({ name, purpose }) => `${name} (${purpose})`).join("; ")}.`,
  transfers.length === 0
    ? "It may not leave the United Kingdom."
    : `It may go abroad to: ${transfers.map(({ country, safeguard }) => `${country} (${safeguard})`).join("; ")}.`,
  `A breach is reported to the force within ${explainDuration(rest.breachNoticeWithin)}.`,
  `When the contract ends, the recipient must ${endOfContract.action} the data within ${explainDuration(endOfContract.within)}.`,
  `Questions: ${rest.controller.contact}.`,
];
