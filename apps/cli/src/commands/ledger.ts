import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { contextOf } from "./context.ts";

const UNBUILT = {
  prove: "the proof of one entry",
  fsck: "database, tiles and checkpoint against each other",
  witness: "a witness server",
};
