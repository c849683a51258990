import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { BureauError } from "../bureau-error.ts";
import { createStore } from "../store/open-store.ts";
import { createKeys, KEY_USES, readKeys } from "./keys.ts";
import { type BureauSettings, lineNames, openPlace } from "./place.ts";
import { createToken } from "./token.ts";

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/;
const MAX_LINES = 1000;

/** Makes a new bureau and answers what the force needs of it: public halves only. Throws `exists` where one is. */
export function initBureau(options: { folder: string; recipient: string; lines: number; printer: string }) {
  const { recipient, lines } = options;
  if (!NAME.test(recipient))
    throw new BureauError("bad-input", "--recipient: letters, digits, dot, hyphen, underscore");
  if (!Number.isInteger(lines) || lines < 1 || lines > MAX_LINES) {
    throw new BureauError("bad-input", `--lines: a whole number from 1 to ${MAX_LINES}`);
  }
  const place = openPlace(options.folder);
  if (existsSync(place.settings) || existsSync(place.store)) {
    throw new BureauError("exists", `${place.root} holds a bureau already. Choose another --folder`);
  }
  const settings: BureauSettings = {
    version: 1,
    recipient,
    lines,
    printer: resolve(options.printer),
    blankPrefix: `B${randomBytes(3).toString("hex")}`,
  };
  for (const folder of [place.root, place.keys, place.agreements, place.orders]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }
  mkdirSync(settings.printer, { recursive: true });
  createKeys(place);
  createToken(place);
  createStore(place.store, { recipient, lines: lineNames(settings) });
  // Last, since its presence says that all the rest is there.
  writeFileSync(place.settings, `${JSON.stringify(settings, null, 2)}\n`, { mode: 0o600, flag: "wx", flush: true });
  const keys = readKeys(place, recipient);
  return {
    recipient,
    verifierKey: keys.noteSigner.verifierKey,
    keys: KEY_USES.map((use) => ({ id: keys[use].id, use, publicKey: keys[use].publicKey })),
  };
}
