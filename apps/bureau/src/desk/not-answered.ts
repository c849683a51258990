import { BureauError } from "../bureau-error.ts";
import type { DeskAnswer } from "./desk-client.ts";

/** Why a question to the desk came to nothing, in words for an operator: `refused` or `unreachable`. */
export function notAnswered(answer: Exclude<DeskAnswer<never>, { kind: "ok" }>): BureauError {
  return answer.kind === "refused"
    ? new BureauError("refused", `The desk refused: ${answer.code}`)
    : new BureauError("unreachable", `The desk did not answer (${answer.why})`);
}
