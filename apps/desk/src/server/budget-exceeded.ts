import { Problem } from "./problem.ts";

/** The keyholder opens no more records today, unless its console allows it. */
export function budgetExceeded(left: number): Problem {
  const title = "The keyholder's daily budget of openings does not suffice";
  return new Problem(409, "budget-exceeded", title, {
    detail: `${left} are left today; raise it at the keyholder's console (tipstaff keyholder allow) and ask again`,
  });
}
