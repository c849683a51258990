import { type DpvConcept, dpvNarrower } from "./dpv-concepts.ts";
import { type MintedConcept, mintedConcepts } from "./minted-concepts.ts";
import { nearestName } from "./nearest-name.ts";

/** The exact id of a kind of personal data: `pd:` is W3C DPV 2.3, `tip:` is ours. */
export type CategoryId = `pd:${DpvConcept}` | `tip:${MintedConcept}`;

export type Category = {
  readonly id: CategoryId;
  /** In plain words, lower case but for names and initials. */
  readonly label: string;
  /** Short names that a file may use instead of the id; letter case, spaces, hyphens do not matter. */
  readonly aliases: readonly string[];
  /** The next broader concepts; none for a top concept. */
  readonly parents: readonly CategoryId[];
  /** Special-category or criminal-offence data (UK GDPR Articles 9 and 10), or under such a concept. */
  readonly special: boolean;
};

const aliases: Partial<Record<CategoryId, readonly string[]>> = {
  "pd:Name": ["name", "full name"],
  "pd:Picture": ["picture", "photo", "photograph", "portrait"],
  "pd:FacialPrint": ["face template"],
  "pd:PhysicalAddress": ["address", "postal address"],
  "pd:PostalCode": ["postcode"],
  "pd:TelephoneNumber": ["telephone", "phone"],
  "pd:EmailAddress": ["email", "e-mail address"],
  "pd:EmailAddressWork": ["work email"],
  "pd:EmailAddressPersonal": ["personal email"],
  "pd:BirthDate": ["date of birth", "dob"],
  "pd:Salary": ["salary", "pay"],
  "pd:OfficialID": ["official id"],
  "pd:Passport": ["passport number"],
  "pd:BankAccount": ["bank account"],
  "pd:FinancialAccountNumber": ["account number"],
  "pd:VehicalLicenseRegistration": ["vehicle registration", "number plate"],
  "pd:VehicalLicenseNumber": ["vehicle licence number"],
  "pd:GPSCoordinate": ["gps position"],
  "pd:Health": ["health"],
  "pd:TradeUnionMembership": ["union membership"],
  "pd:CriminalConviction": ["conviction"],
  "tip:Rank": ["rank"],
  "tip:JobTitle": ["job title"],
  "tip:Unit": ["unit", "posting"],
  "tip:WarrantNumber": ["warrant number"],
  "tip:CollarNumber": ["collar number", "shoulder number"],
  "tip:PayNumber": ["pay number"],
  "tip:EmployeeNumber": ["employee number", "staff number"],
  "tip:VettingLevel": ["vetting level", "vetting"],
  "tip:PostSensitivity": ["post sensitivity"],
  "tip:CovertPost": ["covert post"],
  "tip:NationalInsuranceNumber": ["national insurance number", "ni number", "nino"],
  "tip:DrivingLicenceNumber": ["driving licence number", "driving licence"],
  "tip:NHSNumber": ["nhs number"],
  "tip:SortCode": ["sort code"],
  "tip:HomeAddress": ["home address"],
  "tip:MobileNumber": ["mobile", "mobile number"],
  "tip:Signature": ["signature"],
  "tip:NextOfKin": ["next of kin"],
  "tip:CardSerial": ["card serial", "card number"],
  "tip:CardExpiry": ["card expiry", "expiry"],
  "tip:ChipId": ["chip id"],
  "tip:AccessRights": ["access rights"],
  "tip:ShiftPattern": ["shift pattern"],
  "tip:CrimeReport": ["crime report"],
  "tip:VictimStatus": ["victim status"],
  "tip:Designation": ["designation"],
};

const specialRoots: readonly string[] = [
  "pd:Biometric",
  "pd:Criminal",
  "pd:EthnicOrigin",
  "pd:Genetic",
  "pd:MedicalHealth",
  "pd:PhilosophicalBelief",
  "pd:PoliticalAffiliation",
  "pd:PoliticalOpinion",
  "pd:Race",
  "pd:Religion",
  "pd:ReligiousBelief",
  "pd:Sexual",
  "pd:TradeUnionMembership",
  "pd:Vulnerability",
];

const words = (list: string): string[] => (list === "" ? [] : list.split(" "));
const toLabel = (id: string): string =>
  id
    .slice(id.indexOf(":") + 1)
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .replace(/([A-Z])([A-Z][a-z])/g, "$1 $2")
    .replace(/\b[A-Z](?=[a-z]|\b)/g, (letter) => letter.toLowerCase());

const parentsById = new Map<string, string[]>();
const addParent = (id: string, parent?: string): void => {
  const parents = parentsById.get(id) ?? [];
  if (parent !== undefined) parents.push(parent);
  parentsById.set(id, parents);
};
for (const [parent, narrower] of Object.entries(dpvNarrower)) {
  addParent(`pd:${parent}`);
  for (const child of words(narrower)) addParent(`pd:${child}`, `pd:${parent}`);
}
for (const [name, parents] of Object.entries(mintedConcepts)) {
  for (const parent of parents) addParent(`tip:${name}`, parent);
}

const withAncestors = (id: string): ReadonlySet<string> => {
  const found = new Set([id]);
  // A set visits what is added to it while it is walked.
  for (const one of found) for (const parent of parentsById.get(one) ?? []) found.add(parent);
  return found;
};
const ancestorsById: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  [...parentsById.keys()].map((id) => [id, withAncestors(id)]),
);

/** True for the exact id of a category that Tipstaff knows. */
export const isCategoryId = (text: string): text is CategoryId => parentsById.has(text);

const toCategory = (id: CategoryId): Category => ({
  id,
  label: toLabel(id),
  aliases: aliases[id] ?? [],
  parents: (parentsById.get(id) ?? []).filter(isCategoryId),
  special: specialRoots.some((root) => ancestorsById.get(id)?.has(root)),
});

/** Every category, by id in alphabetical order. Source: W3C DPV 2.3 PD, and our own where it has no word. */
export const categories: readonly Category[] = [...parentsById.keys()].filter(isCategoryId).sort().map(toCategory);

const normalise = (text: string): string => text.toLowerCase().replace(/[\s_-]+/g, "");
const byName = new Map<string, Category>();
for (const category of categories) {
  const bare = category.id.slice(category.id.indexOf(":") + 1);
  for (const name of [category.id, bare, ...category.aliases]) byName.set(normalise(name), category);
}
const suggestible = new Map<string, CategoryId>(
  categories.flatMap((category) =>
    [category.id, category.id.slice(category.id.indexOf(":") + 1), ...category.aliases].map((name) => [
      name,
      category.id,
    ]),
  ),
);

export type FoundCategory =
  | { readonly ok: true; readonly category: Category }
  | { readonly ok: false; readonly suggestion?: CategoryId };

/**
 * The category of an id (`pd:Name`), a bare concept name (`Name`) or an alias (`collar number`); letter case, spaces and
 * hyphens do not matter. A non-match returns the nearest known id, where one is near.
 */
export const findCategory = (text: string): FoundCategory => {
  const category = byName.get(normalise(text));
  if (category !== undefined) return { ok: true, category };
  const near = nearestName(text.trim(), suggestible.keys());
  const suggestion = near === undefined ? undefined : suggestible.get(near);
  return suggestion === undefined ? { ok: false } : { ok: false, suggestion };
};

/** True when `category` is `ancestor` itself or stands anywhere beneath it. False for ids that are not known. */
export const isUnder = (category: CategoryId, ancestor: CategoryId): boolean =>
  ancestorsById.get(category)?.has(ancestor) ?? false;

/** The words for a category id, as a sentence for people would name it. */
export const toCategoryLabel = (id: CategoryId): string => toLabel(id);
