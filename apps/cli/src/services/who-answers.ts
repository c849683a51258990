import { connect } from "node:net";
import { CliError } from "../cli-error.ts";
import { bureauApi, deskApi, type Home, readSettings, type Settings } from "./installation.ts";
import { placeOf } from "./postgres.ts";

const PATIENCE_MS = 2_000;

/** Which processes of this home are running: each is asked at its own door, since a file would also outlive them. */
export async function whoAnswers(home: Home): Promise<string[]> {
  const settings = settingsOf(home);
  const doors: [name: string, isOpen: Promise<boolean>][] = [
    ["keyholder", opens({ path: home.keyholderSocket })],
    ["keyholder's console", opens({ path: home.consoleSocket })],
  ];
  if (settings !== undefined) {
    // A port may be a stranger's by now: only who takes this home's token is one of its processes.
    doors.push(
      ["database", opens(placeOf({ folder: home.postgres, port: settings.ports.postgres }))],
      ["desk", answers(() => deskApi(home, settings, "security.one").get("/api/status"))],
      ["bureau", answers(() => bureauApi(home, settings).get("/status"))],
    );
  }
  const open = await Promise.all(doors.map(async ([name, isOpen]) => ((await isOpen) ? [name] : [])));
  return open.flat();
}

/** Throws CliError `bad-input` when anything of this home runs. */
export async function assertNotServed(home: Home): Promise<void> {
  const running = await whoAnswers(home);
  if (running.length === 0) return;
  throw new CliError(
    "bad-input",
    `${home.root} is being served; stop it first: its ${running.join(", ")} answered.`,
    "Interrupt the command that serves it (tipstaff serve, or another demo), or choose another --home.",
  );
}

/** None where the home was only half made: then nothing but its sockets can be asked. */
function settingsOf(home: Home): Settings | undefined {
  try {
    return readSettings(home);
  } catch {
    return undefined;
  }
}

function opens(place: { path: string } | { host: string; port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(place);
    const say = (isOpen: boolean) => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once("connect", () => say(true));
    socket.once("error", () => say(false));
    // Too busy to take a connection is busy all the same.
    socket.setTimeout(PATIENCE_MS, () => say(true));
  });
}

async function answers(ask: () => Promise<unknown>): Promise<boolean> {
  try {
    await Promise.race([
      ask(),
      new Promise((_resolve, reject) => setTimeout(() => reject(new Error("no answer")), PATIENCE_MS).unref()),
    ]);
    return true;
  } catch {
    return false;
  }
}
