/** One login for each half of every duty. */
export const TEST_STAFF = {
  "hr.clerk": "clerk,admin",
  "cards.clerk": "clerk",
  "cards.approver": "approver",
  "covert.custodian": "custodian,clerk",
  "covert.second": "custodian",
  "production.lead": "production",
  "front.desk": "receiving",
  "security.one": "security",
  "security.two": "security",
} as const;
export type TestLogin = keyof typeof TEST_STAFF;

export type Answer = { readonly status: number; readonly body: unknown; readonly text: string };
export type StaffApi = {
  readonly id: string;
  readonly token: string;
  readonly get: (path: string) => Promise<Answer>;
  readonly post: (path: string, body: unknown) => Promise<Answer>;
};
