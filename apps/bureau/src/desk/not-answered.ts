import { BureauError } from "../bureau-error.ts";
import type { DeskAnswer } from "./desk-client.ts";

const CLOCK = "This machine's clock and the desk's are more than a minute apart. Set this one, and try again";

/** Why a question to the desk came to nothing, in words for an operator: `refused` or `unreachable`. */
export function notAnswered(answer: Exclude<DeskAnswer<never>, { kind: "ok" }>): BureauError {
  if (answer.kind === "refused") {
    return new BureauError("refused", `The desk refused: ${answer.code}${answer.code === "stale" ? `. ${CLOCK}` : ""}`);
  }
  const words = answer.why === "clock-differs" ? CLOCK : `The desk did not answer (${answer.why})`;
  return new BureauError("unreachable", words);
}
