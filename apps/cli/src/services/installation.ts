import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { CliError } from "../cli-error.ts";
import { type Home, makeFolders, openHome, readSettings, readToken, type Settings, writeSettings } from "./home.ts";
import { type Api, connectApi } from "./http.ts";
import { type EmbeddedPostgres, startPostgres } from "./postgres.ts";
import { type AppProcess, freePort, runApp, type StartOptions, startApp } from "./processes.ts";

/** Example staff of an embedded installation: login and roles. One person each; nobody may do two halves of one thing. */
export const STAFF = {
  "hr.clerk": ["clerk", "admin"],
  "cards.clerk": ["clerk"],
  "cards.approver": ["approver"],
  "covert.custodian": ["custodian", "clerk"],
  "covert.second": ["custodian"],
  "production.lead": ["production"],
  "front.desk": ["receiving"],
  "security.one": ["security"],
  "security.two": ["security"],
} as const;
export type Login = keyof typeof STAFF;

const verifierKeysSchema = z.looseObject({ logVerifierKey: z.string(), forceVerifierKey: z.string() });
const tokensSchema = z.looseObject({ tokens: z.record(z.string(), z.string()) });

/** Makes a new force in `home`: keys, log, database, staff. Refuses where one exists. */
export async function initInstallation(
  folder: string,
  options: { force: string; recipient: string; origin?: string; tap?: boolean },
) {
  const home = openHome(folder);
  const { origin = `${options.force}.example/tipstaff/log` } = options;
  if (existsSync(home.settingsFile)) {
    throw new CliError("bad-input", `${home.root} holds an installation already.`, "Choose another --home.");
  }
  if (existsSync(home.postgres)) {
    throw new CliError(
      "bad-input",
      `${dirname(home.postgres)} holds the database of an installation whose home, ${home.root}, is gone.`,
      "Put the home back from a backup, choose another --home, or remove that folder.",
    );
  }
  makeFolders(home);
  const ports = {
    postgres: await freePort(),
    desk: await freePort(),
    bureau: await freePort(),
    ...(options.tap ? { tap: await freePort() } : {}),
  };
  const keys = verifierKeysSchema.parse(
    await appJson("keyholder", [
      ...["init", "--folder", home.keyholder, "--force", options.force, "--origin", origin],
      ...forbidden(home),
    ]),
  );
  const databasePassword = randomBytes(24).toString("hex");
  writeFileSync(join(home.desk, "database.password"), databasePassword, { mode: 0o600 });
  const settings: Settings = {
    version: 2,
    force: options.force,
    recipient: options.recipient,
    ports,
    logVerifierKey: keys.logVerifierKey,
    forceVerifierKey: keys.forceVerifierKey,
  };
  writeSettings(home, settings);
  return { home, settings };
}

/** The key file must not lie where data or backups lie. */
function forbidden(home: Home): string[] {
  return [home.postgres, home.desk, home.tiles, home.openings, home.bureau].flatMap((folder) => ["--not-in", folder]);
}

/** Where the bureau reaches the desk: through the wire tap where there is one. */
export function publicPort(settings: Settings): number {
  return settings.ports.tap ?? settings.ports.desk;
}

export async function startDatabase(home: Home, settings: Settings, flags: readonly string[] = []) {
  return startPostgres({
    folder: home.postgres,
    port: settings.ports.postgres,
    password: readFileSync(join(home.desk, "database.password"), "utf8"),
    logFile: join(home.logs, "postgres.log"),
    flags,
  });
}

const deskConfigSchema = z.looseObject({ databaseUrl: z.string() });

/** The desk's database, as its configuration says. */
export function deskDatabaseUrl(home: Home): string {
  return deskConfigSchema.parse(JSON.parse(readFileSync(home.deskConfig, "utf8"))).databaseUrl;
}

export function startKeyholder(
  home: Home,
  { logLevel = "info", ...options }: StartOptions & { logLevel?: string | undefined } = {},
): Promise<AppProcess> {
  const sockets = ["--socket", home.keyholderSocket, "--console-socket", home.consoleSocket];
  const args = ["serve", "--folder", home.keyholder, ...sockets, "--log-level", logLevel];
  return startApp("keyholder", args, join(home.logs, "keyholder.log"), options);
}

/** Without `logLevel` its configuration says how much it logs. */
export function startDesk(
  home: Home,
  { logLevel, ...options }: StartOptions & { logLevel?: string | undefined } = {},
): Promise<AppProcess> {
  const level = logLevel === undefined ? [] : ["--log-level", logLevel];
  const args = ["serve", "--config", home.deskConfig, ...level];
  return startApp("desk", args, join(home.logs, "desk.log"), options);
}

export function startBureau(
  home: Home,
  settings: Settings,
  { logLevel = "info", ...options }: StartOptions & { logLevel?: string | undefined } = {},
): Promise<AppProcess> {
  const args = ["serve", "--folder", home.bureau, "--port", String(settings.ports.bureau), "--log-level", logLevel];
  return startApp("bureau", args, join(home.logs, "bureau.log"), options);
}

/** Writes the desk's configuration, makes its schema, its log and its staff; keeps every token in its own file. */
export async function initDesk(
  home: Home,
  settings: Settings,
  options: { databaseUrl: string; recipientVerifierKey: string; logLevel: string },
) {
  const config = {
    databaseUrl: options.databaseUrl,
    keyholderSocket: home.keyholderSocket,
    force: settings.force,
    publicUrl: `http://127.0.0.1:${publicPort(settings)}`,
    port: settings.ports.desk,
    folders: {
      data: home.desk,
      tiles: home.tiles,
      openings: home.openings,
      orders: home.orders,
      reports: home.reports,
    },
    recipients: { [settings.recipient]: options.recipientVerifierKey },
    replyKeyFile: join(home.desk, "reply.key"),
    logLevel: options.logLevel,
  };
  writeFileSync(home.deskConfig, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
  const staff = Object.entries(STAFF).flatMap(([login, roles]) => ["--staff", `${login}:${roles.join(",")}`]);
  const answer = await appJson("desk", ["init", "--config", home.deskConfig, ...staff]);
  for (const [login, token] of Object.entries(tokensSchema.parse(answer).tokens)) {
    writeFileSync(join(home.staff, `${login}.token`), token, { mode: 0o600 });
  }
  return answer;
}

/** Runs an app's command that answers one JSON object; its own words become the error. */
export async function appJson(app: "desk" | "keyholder" | "bureau", args: readonly string[]): Promise<unknown> {
  const { code, stdout, stderr } = await runApp(app, args);
  if (code !== 0) throw new CliError("failed", `${app} ${args[0]}: ${stderr.trim() || stdout.trim()}`, "See above.");
  return JSON.parse(stdout);
}

export function deskApi(home: Home, settings: Settings, login: Login | string): Api {
  return connectApi("desk", { port: settings.ports.desk }, readToken(home, login));
}

export function consoleApi(home: Home): Api {
  return connectApi("keyholder's console", { socketPath: home.consoleSocket });
}

export function bureauApi(home: Home, settings: Settings): Api {
  return connectApi("bureau", { port: settings.ports.bureau }, readBureauToken(join(home.bureau, "token")));
}

function readBureauToken(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    throw new CliError("bad-settings", `${file} is gone, or cannot be read.`, "Restore it from a backup.");
  }
}

export type { AppProcess, EmbeddedPostgres, Home, Settings };
export { openHome, readSettings };
