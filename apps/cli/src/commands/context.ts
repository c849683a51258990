import type { Command } from "commander";
import { z } from "zod";
import { tokenFile } from "../services/home.ts";
import type { Api } from "../services/http.ts";
import {
  bureauApi,
  consoleApi,
  deskApi,
  type Home,
  openHome,
  readSettings,
  type Settings,
} from "../services/installation.ts";

const globalsSchema = z.looseObject({ home: z.string(), as: z.string().optional(), json: z.boolean().optional() });

/** What a command works with: the installation, its APIs, and how to answer. */
export type Context = {
  home: Home;
  settings: () => Settings;
  /** The force's service, as `--as`, or as the login that usually does this. */
  desk: (usualLogin: string) => Api;
  /** The token file of `--as`, or of the login that usually does this. */
  tokenFile: (usualLogin: string) => string;
  bureau: () => Api;
  console: () => Api;
  json: boolean;
  /** Prints the value as JSON when asked, its text otherwise. */
  answer: (value: unknown, text?: string) => void;
};

export function contextOf(command: Command): Context {
  const globals = globalsSchema.parse(command.optsWithGlobals());
  const home = openHome(globals.home);
  const json = globals.json ?? false;
  return {
    home,
    settings: () => readSettings(home),
    desk: (usualLogin) => deskApi(home, readSettings(home), globals.as ?? usualLogin),
    tokenFile: (usualLogin) => tokenFile(home, globals.as ?? usualLogin),
    bureau: () => bureauApi(home, readSettings(home)),
    console: () => consoleApi(home),
    json,
    answer: (value, text) => {
      process.stdout.write(`${json || text === undefined ? JSON.stringify(value, null, json ? 0 : 2) : text}\n`);
    },
  };
}
