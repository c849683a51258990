import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { DeskError } from "./server/desk-error.ts";

const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;
const path = z.string("a path").min(1, "a path");
const name = z.string("a name").regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "1 to 64 of A-Z a-z 0-9 . _ -");

/** The desk's configuration file (JSON). Relative paths count from the file's own folder. */
const configSchema = z.strictObject({
  databaseUrl: z.string("postgres://…").regex(/^postgres(ql)?:\/\//, "postgres://…"),
  keyholderSocket: path,
  /** The controller's id, as in its agreements. */
  force: name,
  /** The address by which bureaux reach this desk. */
  publicUrl: z.url({ protocol: /^https?$/, error: "an http(s) address" }).transform((url) => url.replace(/\/+$/, "")),
  /** 0 takes a free one. */
  port: z.int("0 to 65535").min(0, "0 to 65535").max(65535, "0 to 65535"),
  folders: z.strictObject({
    data: path,
    tiles: path,
    openings: path,
    orders: path,
    templates: path.optional(),
    reports: path,
  }),
  /** Verifier key of each recipient that may sign agreements. */
  recipients: z.record(name, z.string("a verifier key").min(1, "a verifier key")).default({}),
  replyKeyFile: path,
  /** Policy of the witnesses (C2SP tlog-policy, with their URLs) without whose quorum nothing counts as logged. */
  witnessPolicyFile: path.optional(),
  logLevel: z.enum(LOG_LEVELS, `one of ${LOG_LEVELS.join(", ")}`).default("info"),
});

type ParsedConfig = z.infer<typeof configSchema>;
export type Config = Omit<ParsedConfig, "folders"> & {
  readonly folders: { readonly [F in keyof Required<ParsedConfig["folders"]>]: string };
};

/** Reads the configuration; throws DeskError `bad-config` that lists every missing or wrong key at once. `instead` goes before the file. */
export function readConfig(file: string, instead: { logLevel?: string } = {}): Config {
  const json = readJson(file);
  const parsed = configSchema.safeParse(typeof json === "object" && json !== null ? { ...json, ...instead } : json);
  if (!parsed.success) {
    const faults = parsed.error.issues.flatMap((issue) =>
      issue.code === "unrecognized_keys"
        ? issue.keys.map((key) => `${[...issue.path, key].join(".")}: no such key`)
        : [`${issue.path.join(".") || "the file"}: required is ${issue.message}`],
    );
    throw new DeskError("bad-config", `${file} does not fit:\n  ${faults.join("\n  ")}`);
  }
  const from = (place: string) => resolve(dirname(resolve(file)), place);
  const { folders, ...rest } = parsed.data;
  return {
    ...rest,
    keyholderSocket: from(rest.keyholderSocket),
    replyKeyFile: from(rest.replyKeyFile),
    ...(rest.witnessPolicyFile === undefined ? {} : { witnessPolicyFile: from(rest.witnessPolicyFile) }),
    folders: {
      data: from(folders.data),
      tiles: from(folders.tiles),
      openings: from(folders.openings),
      orders: from(folders.orders),
      reports: from(folders.reports),
      templates: folders.templates === undefined ? shippedTemplates() : from(folders.templates),
    },
  };
}

/** The templates that come with the artwork package. */
function shippedTemplates(): string {
  return join(dirname(fileURLToPath(import.meta.resolve("@tipstaff/artwork"))), "..", "templates");
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    const what = cause instanceof SyntaxError ? "is not JSON" : "cannot be read";
    throw new DeskError("bad-config", `The configuration ${file} ${what}; name another one with --config`, { cause });
  }
}
