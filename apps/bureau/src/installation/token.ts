import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { BureauError } from "../bureau-error.ts";
import type { Place } from "./place.ts";
import { readSecret } from "./secret-file.ts";

const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/** What an operator shows to use this bureau; throws where a file is. */
export function createToken(place: Place): void {
  writeFileSync(place.token, `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600, flag: "wx" });
}

/** Throws `exposed-key` or `damaged`: with no token whole in it, the file would open the bureau to everybody here. */
export function readToken(place: Place): string {
  const token = readSecret(place.token);
  if (!TOKEN.test(token)) throw new BureauError("damaged", `${place.token} holds no token. Restore it from a backup`);
  return token;
}
