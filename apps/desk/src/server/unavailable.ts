const UNAVAILABLE = new Set([
  "keyholder-unreachable",
  "keyholder-timeout",
  "ECONNREFUSED",
  "ECONNRESET",
  "57P01",
  "57P02",
  "57P03",
]);

/** Database or keyholder gone for the moment? */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = "code" in error ? error.code : undefined;
  return (
    (typeof code === "string" && UNAVAILABLE.has(code)) ||
    /Connection terminated|timeout exceeded when/.test(error.message)
  );
}
