const EXIT_CODES = {
  "no-installation": 2,
  "bad-settings": 2,
  "unknown-staff": 2,
  "bad-input": 2,
  "not-running": 2,
  "not-built": 2,
  refused: 1,
  failed: 2,
} as const;

/**
 * The command line's one error: what failed, and what to do about it. Exit 1 is a refusal, 2 could not run. `facts` stand
 * beside both in the JSON, for programs.
 */
export class CliError extends Error {
  readonly code: keyof typeof EXIT_CODES;
  readonly advice: string;
  readonly facts: Readonly<Record<string, unknown>>;
  constructor(
    code: keyof typeof EXIT_CODES,
    message: string,
    advice: string,
    facts: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    this.name = "CliError";
    this.code = code;
    this.advice = advice;
    this.facts = facts;
  }
  get exitCode(): number {
    return EXIT_CODES[this.code];
  }
}

export const START_IT = "Start it: tipstaff serve all";
