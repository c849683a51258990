import type { CategoryId } from "@tipstaff/agreement";
import type { RegisterField } from "./person-details.ts";

/** Headers, already normalised (see `normaliseHeader`), by which a register field is known in extracts. */
export const FIELD_SYNONYMS: Readonly<Record<RegisterField, readonly string[]>> = {
  payNumber: ["pay number", "pay no", "payroll number", "payroll no", "pay ref", "payroll ref"],
  warrantNumber: ["warrant number", "warrant no", "warrant", "warrant card number", "warrant card no"],
  collarNumber: [
    "collar number",
    "collar no",
    "collar",
    "shoulder number",
    "shoulder no",
    "epaulette number",
    "divisional number",
    "fin",
  ],
  title: ["title", "salutation", "honorific"],
  forenames: ["forenames", "forename", "first name", "first names", "given name", "given names", "christian names"],
  surname: ["surname", "last name", "family name"],
  knownAs: ["known as", "preferred name", "preferred forename", "preferred first name", "known name"],
  rank: ["rank", "rank grade", "rank or grade", "grade rank", "rank title"],
  unit: ["unit", "posting", "business unit", "org unit", "organisation unit", "unit department"],
  postSensitivity: ["post sensitivity", "sensitivity", "posting sensitivity", "role sensitivity"],
  role: [
    "role",
    "officer staff",
    "staff officer",
    "officer or staff",
    "staff or officer",
    "person type",
    "employee type",
    "employee group",
    "staff type",
    "workforce type",
  ],
  employedUntil: ["end date", "contract end", "contract end date", "fixed term end date", "employed until"],
};

/** Further headers of a field, used only where no better column names it; elsewhere they are columns of that category. */
export const SECOND_CHOICES: readonly (readonly [RegisterField, CategoryId, readonly string[]])[] = [
  [
    "payNumber",
    "tip:EmployeeNumber",
    [
      "employee number",
      "employee no",
      "employee id",
      "emp no",
      "staff number",
      "staff no",
      "personnel number",
      "personnel no",
      "assignment number",
    ],
  ],
  ["rank", "tip:JobTitle", ["grade", "job title", "post title", "position title"]],
  ["unit", "tip:Unit", ["department", "dept", "team", "station", "division", "bcu"]],
];

const list = (text: string): readonly string[] => text.split(", ");

/**
 * Headers of what extracts hold and a card register has no authority for, with the category of each. Their cells are
 * never looked at.
 */
export const WITHOUT_AUTHORITY: readonly (readonly [CategoryId, readonly string[]])[] = [
  [
    "tip:HomeAddress",
    list(
      "home address, home addr, address, addr, home address line, home addr line, address line, addr line, street, street address, residential address, correspondence address, house number, house name, flat",
    ),
  ],
  ["pd:PostalCode", list("postcode, post code, home postcode, home post code, zip, zip code")],
  ["pd:City", list("town, city, home town, town city, county, home county")],
  [
    "tip:MobileNumber",
    list("mobile, mobile number, mobile no, mobile phone, mobile tel, personal mobile, home mobile, cell phone, mob"),
  ],
  [
    "pd:TelephoneNumber",
    list(
      "telephone, telephone number, telephone no, phone, phone number, home phone, home telephone, home tel, tel, tel no, work phone, work telephone, extension",
    ),
  ],
  [
    "pd:Salary",
    list(
      "salary, annual salary, basic salary, base salary, gross salary, pay, basic pay, gross pay, pay point, pay scale, spine point, fte salary, allowance, london weighting, overtime pay",
    ),
  ],
  [
    "tip:NationalInsuranceNumber",
    list("national insurance number, national insurance no, national insurance, ni number, ni no, nino, ni"),
  ],
  ["pd:BirthDate", list("date of birth, dob, birth date, birthdate, birthday, d o b")],
  ["pd:Age", list("age")],
  [
    "tip:VettingLevel",
    list(
      "vetting, vetting level, vetting status, vetting grade, clearance, clearance level, security clearance, sc clearance, dv, vetting expiry, vetting date",
    ),
  ],
  [
    "pd:EmailAddressPersonal",
    list("personal email, personal e mail, home email, home e mail, private email, personal email address"),
  ],
  ["pd:EmailAddressWork", list("work email, work e mail, force email, work email address")],
  ["pd:EmailAddress", list("email, e mail, email address, e mail address")],
  [
    "tip:NextOfKin",
    list(
      "next of kin, nok, next of kin name, next of kin phone, next of kin telephone, emergency contact, emergency contact name, emergency contact phone, emergency contact number, nok name, nok phone",
    ),
  ],
  ["pd:BankAccount", list("bank, bank account, bank name, bank details, building society")],
  ["pd:FinancialAccountNumber", list("account number, account no, bank account number, bank account no")],
  ["tip:SortCode", list("sort code, bank sort code")],
  ["tip:IBAN", list("iban")],
  ["pd:Tax", list("tax code, tax reference")],
  ["pd:Passport", list("passport, passport number, passport no")],
  ["tip:DrivingLicenceNumber", list("driving licence, driving licence number, driving licence no, driver number")],
  [
    "pd:VehicalLicenseRegistration",
    list("vehicle registration, vehicle reg, car registration, car reg, vrm, number plate"),
  ],
  ["tip:NHSNumber", list("nhs number, nhs no")],
  ["pd:Gender", list("gender, sex")],
  ["pd:EthnicOrigin", list("ethnicity, ethnic origin, ethnic group, self defined ethnicity, sde")],
  ["pd:Religion", list("religion, religion or belief, faith")],
  ["pd:SexualPreference", list("sexual orientation, sexuality")],
  ["pd:Disability", list("disability, disabled, disability status")],
  ["pd:Health", list("health, medical, medical conditions, sickness, sickness days, sick days, occupational health")],
  ["pd:MaritalStatus", list("marital status, civil status")],
  ["pd:Nationality", list("nationality, citizenship")],
  ["pd:TradeUnionMembership", list("union, trade union, union membership, federation member, federation membership")],
  ["pd:DisciplinaryAction", list("disciplinary, disciplinary record, misconduct, complaints")],
  ["pd:PerformanceAtWork", list("appraisal, performance rating, pdr rating, pdr")],
  ["tip:ShiftPattern", list("shift, shift pattern, rota, duty pattern")],
  ["pd:Picture", list("photo, photograph, picture, portrait, image")],
  [
    "pd:CurrentEmployment",
    list(
      "start date, join date, date joined, date of joining, appointment date, hire date, continuous service date, length of service",
    ),
  ],
];
