import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { CliError } from "../cli-error.ts";
import { originOf } from "./home.ts";
import {
  type AppProcess,
  appJson,
  consoleApi,
  deskApi,
  type EmbeddedPostgres,
  type Home,
  initDesk,
  publicPort,
  type Settings,
  startBureau,
  startDatabase,
  startDesk,
  startKeyholder,
} from "./installation.ts";
import { runApp } from "./processes.ts";

const bureauKeysSchema = z.looseObject({
  verifierKey: z.string(),
  keys: z.array(z.looseObject({ id: z.string(), use: z.string(), publicKey: z.string() })),
});
const deskInitSchema = z.looseObject({ replyKey: z.looseObject({ id: z.string(), publicKey: z.string() }) });
const signedSchema = z.looseObject({ line: z.string() });
const pinnedSchema = z.looseObject({ ok: z.boolean(), reason: z.string().optional() });

export type Running = { database: EmbeddedPostgres; keyholder: AppProcess; desk: AppProcess; bureau: AppProcess };
export type AgreementMaker = (keys: readonly { id: string; use: string; publicKey: string }[]) => string;

/**
 * Brings a new installation to where production can begin: the bureau makes its keys, both parties sign the agreement,
 * the keyholder's console pins it, two people activate it, and all four processes run.
 */
export async function establish(
  home: Home,
  settings: Settings,
  options: { lines: number; logLevel: string; agreement: AgreementMaker },
): Promise<Running> {
  return allOrNone(async (started) => {
    started.database = await startDatabase(home, settings);
    started.keyholder = await startKeyholder(home, { logLevel: options.logLevel });
    const bureauKeys = bureauKeysSchema.parse(
      await appJson("bureau", [
        ...["init", "--folder", home.bureau, "--recipient", settings.recipient],
        ...["--lines", String(options.lines), "--printer", home.printer],
      ]),
    );
    const deskKeys = deskInitSchema.parse(
      await initDesk(home, settings, {
        databaseUrl: started.database.url,
        recipientVerifierKey: bureauKeys.verifierKey,
        logLevel: options.logLevel,
      }),
    );
    const text = options.agreement(bureauKeys.keys);
    const agreementFile = await signAgreement(home, settings, text, bureauKeys.verifierKey);
    started.desk = await startDesk(home);
    await activateAgreement(home, settings, agreementFile);
    await appJson("bureau", [
      ...["pin", "--folder", home.bureau, "--agreement", agreementFile],
      ...["--force-verifier-key", settings.forceVerifierKey, "--log-verifier-key", settings.logVerifierKey],
      ...["--desk-url", `http://127.0.0.1:${publicPort(settings)}`],
      ...["--reply-key-id", deskKeys.replyKey.id, "--reply-public-key", deskKeys.replyKey.publicKey],
    ]);
    started.bureau = await startBureau(home, settings, { logLevel: options.logLevel });
  });
}

/** What was started is ended again when the next one does not start. */
async function allOrNone(start: (started: Partial<Running>) => Promise<void>): Promise<Running> {
  const started: Partial<Running> = {};
  try {
    await start(started);
    const { database, keyholder, desk, bureau } = started;
    if (!database || !keyholder || !desk || !bureau) throw new CliError("failed", "Not every process started.", "");
    return { database, keyholder, desk, bureau };
  } catch (error) {
    await stopAll(started);
    throw error;
  }
}

/** Both parties sign the exact bytes; the keyholder's console pins log, recipient and agreement. */
async function signAgreement(home: Home, settings: Settings, text: string, recipientKey: string): Promise<string> {
  const file = join(home.agreements, `${settings.recipient}.yaml`);
  writeFileSync(file, text);
  const console = consoleApi(home);
  const recipientLine = await runApp("bureau", ["sign-agreement", file, "--folder", home.bureau]);
  if (recipientLine.code !== 0) throw new CliError("failed", `bureau sign-agreement: ${recipientLine.stderr}`, "");
  const bytes = readFileSync(file).toString("base64url");
  const forceLine = signedSchema.parse(await console.post("/agreements/sign", { bytes }));
  const signatures = `${forceLine.line.trimEnd()}\n${recipientLine.stdout.trimEnd()}\n`;
  writeFileSync(`${file}.sig`, signatures);
  await console.post("/log/pin", { origin: originOf(settings) });
  await console.post("/recipients/pin", { recipient: settings.recipient, verifierKey: recipientKey });
  const pinned = pinnedSchema.parse(await console.post("/agreements/pin", { bytes, signatures }));
  if (!pinned.ok) throw new CliError("failed", `The keyholder does not pin the agreement: ${pinned.reason}.`, "");
  return file;
}

/** A first agreement widens what may leave: one person proposes it, another activates it. */
async function activateAgreement(home: Home, settings: Settings, file: string): Promise<void> {
  const body = { bytes: readFileSync(file).toString("base64url"), signatures: readFileSync(`${file}.sig`, "utf8") };
  for (const login of ["security.one", "security.two"] as const) {
    await deskApi(home, settings, login).post("/api/agreements/activate", body);
  }
}

/** Starts the four processes of an installation that was established before. */
export async function startAll(home: Home, settings: Settings, logLevel?: string): Promise<Running> {
  return allOrNone(async (started) => {
    started.database = await startDatabase(home, settings);
    started.keyholder = await startKeyholder(home, { logLevel });
    started.desk = await startDesk(home, { logLevel });
    started.bureau = await startBureau(home, settings, { logLevel });
  });
}

/** Ends what runs, outermost first. */
export async function stopAll(running: Partial<Running>): Promise<void> {
  await running.bureau?.stop();
  await running.desk?.stop();
  await running.keyholder?.stop();
  await running.database?.stop();
}
