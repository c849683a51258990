/**
 * Personal-data concepts of the W3C Data Privacy Vocabulary 2.3, extension PD (https://w3id.org/dpv/2.3/pd, 2026-02-25;
 * licence: see NOTICE), all of them, each with its narrower ones. A concept with several parents stands under each of
 * them. The spelling is DPV's, also where it is odd (`VehicalLicenseNumber`).
 */
export const dpvNarrower = {
  External:
    "Behavioural Citizenship Demographic Ethnicity Identifying Language MedicalHealth Nationality PersonalDocuments PhysicalCharacteristic Sexual Vehicle",
  Financial: "FinancialAccount FinancialStatus Insurance Ownership Transactional",
  Historical: "LifeHistory",
  Household: "",
  Internal: "Authenticating Emotion KnowledgeBelief Mood Preference",
  Profile: "GroupProfile IndividualProfile",
  Social: "Communication Criminal Family Professional PublicLife SocialBehaviour SocialNetwork",
  Tracking: "Contact DeviceBased DigitalFingerprint Identifier Location UserAgent",
  Vulnerability: "",

  AccountIdentifier: "FinancialAccountNumber PaymentCardNumber",
  Age: "AgeRange BirthDate",
  AgeRange: "AgeExact",
  Authenticating: "PINCode Password SecretText",
  Behavioural:
    "Attitude AuthenticationHistory BrowsingBehaviour CallLog Demeanour LinkClicked PerformanceAtWork Personality Reliability ServiceConsumptionBehaviour SocialBehaviour VehicleUsage",
  Biometric: "FacialExpression FacialPrint Fingerprint Retina",
  BirthPlace: "BirthCountry",
  BrowsingBehaviour: "BrowserHistory BrowsingReferral",
  Communication: "EmailContent SocialMedia SocialMediaCommunication VoiceCommunicationRecording VoiceMail",
  Contact: "EmailAddress PhysicalAddress TelephoneNumber",
  Country: "BirthCountry",
  Credit: "CreditCapacity CreditRecord CreditStanding CreditWorthiness",
  CreditWorthiness: "CreditScore",
  Criminal: "CriminalCharge CriminalConviction CriminalOffence CriminalPardon",
  CurrentLocation: "GPSCoordinate",
  Demographic: "Geographic IncomeBracket PhysicalTrait",
  DeviceBased: "BrowserFingerprint DeviceSoftware IPAddress MACAddress",
  DeviceSoftware: "DeviceApplications DeviceOperatingSystem",
  Education: "EducationExperience EducationQualification EducationTraining",
  EmailAddress: "EmailAddressPersonal EmailAddressWork",
  EmploymentHistory: "CurrentEmployment PastEmployment",
  Ethnicity: "EthnicOrigin Race",
  Family: "FamilyStructure Relationship",
  FamilyStructure: "Divorce Marriage Offspring Parent Sibling",
  Favourite: "FavouriteColour FavouriteFood FavouriteMusic",
  FinancialAccount: "AccountIdentifier BankAccount PaymentCard",
  GroupMembership: "TradeUnionMembership",
  Health: "Genetic MentalHealth PhysicalHealth",
  HealthHistory: "FamilyHealthHistory IndividualHealthHistory",
  HouseOwned: "ApartmentOwned",
  Identifying: "Biometric Name OfficialID Picture UID Username VehicleLicense",
  Interest: "Dislike Like",
  KnowledgeBelief: "PhilosophicalBelief ReligiousBelief TechnicalKnowledge Thought",
  Language: "Accent Dialect",
  Location:
    "BirthPlace Country CurrentLocation Domicile HomeLocation PhysicalAddress Residency TravelHistory WorkLocation",
  MedicalHealth: "BloodType DNACode Disability DrugTestResult Health HealthHistory HealthRecord Prescription",
  OfficialID: "Passport",
  Ownership: "CarOwned HouseOwned PersonalPossession",
  PaymentCard: "PaymentCardExpiry PaymentCardNumber",
  PaymentCardNumber: "CreditCardNumber",
  PhysicalAddress: "City HouseNumber Locality PostalCode Region RoomNumber Street",
  PhysicalCharacteristic: "Age Gender HairColour Height Piercing SkinTone Tattoo Weight",
  Preference: "Favourite Intention Interest Opinion PrivacyPreference",
  Professional:
    "DisciplinaryAction Education EmploymentHistory Job PerformanceAtWork ProfessionalCertification ProfessionalEvaluation ProfessionalExperience ProfessionalInterview ProfessionalTraining Reference Salary School WorkEnvironment WorkHistory",
  ProfessionalExperience: "WorkExperience",
  PublicLife:
    "Character CommunicationsMetadata GeneralReputation Interaction MaritalStatus PoliticalAffiliation PoliticalOpinion Religion SocialStatus",
  ServiceConsumptionBehaviour: "TVViewingBehaviour",
  Sexual: "Fetish Proclivity SexualHistory SexualPreference",
  SocialMedia: "PubliclyAvailableSocialMedia",
  SocialNetwork: "Acquaintance Association Connection Friend GroupMembership",
  Transactional: "Credit Income LoanRecord Purchase PurchasesAndSpendingHabit Sale Tax Transaction",
  Vehicle: "VehicleLicense VehicleUsage",
  VehicleLicense: "VehicalLicenseNumber VehicalLicenseRegistration",
} as const;

type Words<Text extends string> = Text extends `${infer Head} ${infer Rest}`
  ? Head | Words<Rest>
  : Text extends ""
    ? never
    : Text;

/** The name of a DPV concept without its prefix. */
export type DpvConcept = keyof typeof dpvNarrower | Words<(typeof dpvNarrower)[keyof typeof dpvNarrower]>;
