/**
 * What a route throws to refuse a request: it becomes `application/problem+json` with these fields and nothing else, so
 * none of them may hold a person's data.
 */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly detail: string | undefined;
  /** What to do about it, in words. */
  readonly advice: string | undefined;
  /** Seconds, for `Retry-After`. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    status: number,
    code: string,
    title: string,
    more: { detail?: string; advice?: string; retryAfterSeconds?: number } = {},
  ) {
    super(title);
    this.name = "Problem";
    this.status = status;
    this.code = code;
    this.detail = more.detail;
    this.advice = more.advice;
    this.retryAfterSeconds = more.retryAfterSeconds;
  }
}

export type ProblemBody = {
  type: "about:blank";
  title: string;
  status: number;
  code: string;
  detail?: string;
  advice?: string;
};

export function toProblemBody(problem: Problem): ProblemBody {
  const { status, code, message: title, detail, advice } = problem;
  const more = { ...(detail === undefined ? {} : { detail }), ...(advice === undefined ? {} : { advice }) };
  return { type: "about:blank", title, status, code, ...more };
}
