import { KeyholderError } from "@tipstaff/release-protocol/node";

/** Could the keyholder not be reached, so that nobody knows whether it did what it was asked? */
export function isKeyholderAway(error: unknown): boolean {
  return (
    error instanceof KeyholderError && (error.code === "keyholder-unreachable" || error.code === "keyholder-timeout")
  );
}
