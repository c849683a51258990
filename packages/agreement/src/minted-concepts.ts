import type { DpvConcept } from "./dpv-concepts.ts";

/** What a police force holds and DPV has no word for, each under its parents in DPV or here. */
export const mintedConcepts = {
  AccessRights: ["pd:Professional"],
  CardExpiry: ["pd:Professional"],
  CardSerial: ["pd:UID"],
  ChipId: ["pd:UID"],
  CollarNumber: ["pd:UID"],
  CovertPost: ["tip:PostSensitivity"],
  CrimeReport: ["pd:Criminal"],
  Designation: ["pd:Job"],
  DrivingLicenceNumber: ["pd:OfficialID"],
  EmployeeNumber: ["pd:UID"],
  HomeAddress: ["pd:HomeLocation", "pd:PhysicalAddress"],
  IBAN: ["pd:AccountIdentifier"],
  JobTitle: ["pd:Job"],
  MobileNumber: ["pd:TelephoneNumber"],
  NHSNumber: ["pd:OfficialID"],
  NationalInsuranceNumber: ["pd:OfficialID"],
  NextOfKin: ["pd:Family"],
  PayNumber: ["pd:UID"],
  PostSensitivity: ["pd:Professional"],
  Rank: ["pd:Job"],
  ShiftPattern: ["pd:WorkEnvironment"],
  Signature: ["pd:Identifying"],
  SortCode: ["pd:AccountIdentifier"],
  Unit: ["pd:Job"],
  VettingLevel: ["pd:Professional"],
  VictimStatus: ["pd:Criminal", "pd:Vulnerability"],
  WarrantNumber: ["pd:UID"],
} as const satisfies Record<string, readonly (`pd:${DpvConcept}` | "tip:PostSensitivity")[]>;

/** The name of one of our own concepts without its prefix. */
export type MintedConcept = keyof typeof mintedConcepts;
