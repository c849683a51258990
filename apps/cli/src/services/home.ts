import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parseLogKey } from "@tipstaff/ledger";
import { z } from "zod";
import { CliError } from "../cli-error.ts";
import { parseJson } from "../parse-json.ts";

/** Linux refuses socket paths of 108 bytes and more. */
const LONGEST_SOCKET_PATH = 100;

/** Where root's database lies when its OS user may not pass through the home: PostgreSQL does not run as root. */
const ELSEWHERE = "/var/tmp";

/** May another user pass through all folders down to here? Only root asks; anybody else runs the database as themselves. */
function everybodyMayPass(folder: string): boolean {
  if (process.getuid?.() !== 0) return true;
  for (let place = folder; ; place = dirname(place)) {
    if (place !== folder && existsSync(place) && (statSync(place).mode & 0o001) === 0) return false;
    if (place === dirname(place)) return true;
  }
}

const settingsSchema = z.strictObject({
  version: z.literal(2),
  force: z.string(),
  recipient: z.string(),
  databaseUrl: z.string().optional(),
  ports: z.strictObject({ postgres: z.int(), desk: z.int(), bureau: z.int(), tap: z.int().optional() }),
  logVerifierKey: z.string(),
  forceVerifierKey: z.string(),
});
export type Settings = z.infer<typeof settingsSchema>;

/** The log's origin: the name of its key, and no second one, so that witnesses and policies know it (C2SP tlog-policy). */
export const originOf = ({ logVerifierKey }: Settings): string => parseLogKey(logVerifierKey).name;

/** All the places of one embedded installation, below `--home`. */
export type Home = ReturnType<typeof openHome>;

export function openHome(folder: string) {
  const root = resolve(folder);
  const at = (...parts: string[]) => join(root, ...parts);
  const sockets = at("run");
  const mark = createHash("sha256").update(root).digest("hex").slice(0, 16);
  const short = join(tmpdir(), `tipstaff-${mark}`);
  const run = join(sockets, "console.sock").length <= LONGEST_SOCKET_PATH ? sockets : short;
  return {
    root,
    settingsFile: at("settings.json"),
    postgres: everybodyMayPass(root) ? at("postgres") : join(ELSEWHERE, `tipstaff-${mark}`, "postgres"),
    keyholder: at("keyholder"),
    desk: at("desk"),
    deskConfig: at("desk", "config.json"),
    orders: at("desk", "orders"),
    tiles: at("ledger", "tiles"),
    openings: at("ledger", "openings"),
    bureau: at("bureau"),
    printer: at("printer"),
    agreements: at("agreements"),
    staff: at("staff"),
    reports: at("reports"),
    logs: at("logs"),
    wire: at("wire", "between-bureau-and-force.bin"),
    run,
    keyholderSocket: join(run, "keyholder.sock"),
    consoleSocket: join(run, "console.sock"),
  };
}

/** The settings of an installation that `tipstaff init` made; throws CliError `no-installation` when there is none. */
export function readSettings(home: Home): Settings {
  if (!existsSync(home.settingsFile)) {
    throw new CliError("no-installation", `There is no installation in ${home.root}.`, "Make one: tipstaff init");
  }
  const found = parseJson(readFileSync(home.settingsFile, "utf8"));
  if (z.object({ version: z.literal(1) }).safeParse(found).success) {
    throw new CliError(
      "bad-settings",
      `${home.root} was made by an older Tipstaff, whose log's key bears another name than the log: no witness can know it.`,
      "Serve it with the release that made it, or make a new one in another --home.",
    );
  }
  const parsed = settingsSchema.safeParse(found);
  if (!parsed.success) {
    const keys = parsed.error.issues.map((issue) => issue.path.join(".") || "the whole").join(", ");
    throw new CliError("bad-settings", `${home.settingsFile} does not fit: ${keys}.`, "Restore it from a backup.");
  }
  return parsed.data;
}

export function writeSettings(home: Home, settings: Settings): void {
  writeFileSync(home.settingsFile, `${JSON.stringify(settings, null, 2)}\n`, { mode: 0o600 });
}

/** Makes the home and what is missing above it: the database's OS user must be able to pass through them all. */
export function makeHomeFolder(root: string): void {
  const first = mkdirSync(root, { recursive: true });
  for (let place = root; ; place = dirname(place)) {
    chmodSync(place, 0o711);
    if (first === undefined || place === first) return;
  }
}

/** Makes the folders of a new installation. */
export function makeFolders(home: Home): void {
  makeHomeFolder(home.root);
  const { desk, orders, bureau, staff, run, tiles, openings, printer, agreements, reports, logs, wire } = home;
  for (const folder of [desk, orders, bureau, staff, run, tiles, openings, printer, agreements, reports, logs]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }
  mkdirSync(dirname(wire), { recursive: true, mode: 0o700 });
}

/** Where the token of a member of staff lies, written once by `init`. Throws CliError `unknown-staff`. */
export function tokenFile(home: Home, login: string): string {
  const file = join(home.staff, `${login}.token`);
  if (!/^[a-z0-9.-]+$/.test(login) || !existsSync(file)) {
    throw new CliError("unknown-staff", `No token for the login ${JSON.stringify(login)}.`, `Look into ${home.staff}.`);
  }
  return file;
}

export function readToken(home: Home, login: string): string {
  return readFileSync(tokenFile(home, login), "utf8").trim();
}
