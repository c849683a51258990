import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { CommanderError } from "commander";
import { expect, it } from "vitest";
import { CliError } from "./cli-error.ts";
import { explainError } from "./explain-error.ts";

it("a file that is not there is named, and is no defect", () => {
  let thrown: unknown;
  try {
    readFileSync("/nonexistent/file");
  } catch (error) {
    thrown = error;
  }
  expect(explainError(thrown)).toMatchObject({
    message: "/nonexistent/file cannot be read (ENOENT).",
    exitCode: 2,
    isDefect: false,
  });
});

it("a socket where nobody listens says how to start what should", async () => {
  const thrown = await new Promise((resolve) => connect("/nonexistent/socket").once("error", resolve));
  expect(explainError(thrown)).toMatchObject({ advice: "Start it: tipstaff serve all", isDefect: false });
});

it("help and a version are no error", () => {
  expect(explainError(new CommanderError(0, "commander.helpDisplayed", "(outputHelp)"))).toBeUndefined();
});

it("a command that is missing or unknown exits 2, in words", () => {
  const bare = explainError(new CommanderError(1, "commander.help", "(outputHelp)"));
  expect(bare).toMatchObject({ message: "A command is missing.", exitCode: 2 });
  const unknown = explainError(new CommanderError(1, "commander.unknownCommand", "error: unknown command 'nonsense'"));
  expect(unknown).toMatchObject({ message: "unknown command 'nonsense'", exitCode: 2 });
});

it("an error of ours keeps its words, its exit code and its facts", () => {
  const error = new CliError("refused", "No.", "Ask again.", { faults: [{ line: 1 }] });
  expect(explainError(error)).toEqual({
    ...{ message: "No.", advice: "Ask again.", exitCode: 1, isDefect: false },
    facts: { faults: [{ line: 1 }] },
  });
});

it.each([new TypeError("x is not a function"), Object.assign(new Error("odd"), { code: "ERR_X" }), "thrown text"])(
  "what nobody foresaw is a defect: %s",
  (error) => {
    expect(explainError(error)).toMatchObject({ isDefect: true, exitCode: 2 });
    expect(explainError(error)?.advice).toMatch(/defect/);
  },
);
