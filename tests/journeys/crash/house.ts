import { setTimeout as sleep } from "node:timers/promises";
import type { Running } from "../../../apps/cli/src/services/establish.ts";
import {
  type Home,
  type Settings,
  startBureau,
  startDatabase,
  startDesk,
  startKeyholder,
} from "../../../apps/cli/src/services/installation.ts";
import { within } from "./within.ts";

/** The four processes that may be killed, in the order in which they need each other. */
export const VICTIMS = ["database", "keyholder", "desk", "bureau"] as const;
export type Victim = (typeof VICTIMS)[number];

const RESTART_SECONDS = 60;
const RETRY_MS = 150;
const END_SECONDS = 30;

type Process = { readonly pid: number; readonly stop: () => Promise<void>; readonly kill: () => Promise<void> };

/**
 * The processes of an installation, and what an init system would do for them: one that was killed is started again,
 * also when it cannot start at the first try because another is gone.
 */
export type House = {
  /** SIGKILL. */
  readonly kill: (victim: Victim) => Promise<void>;
  /** Starts it again; `cutAfterMs` kills it once while it starts. Throws HangError when it does not come back. */
  readonly restart: (victim: Victim, cutAfterMs?: number) => Promise<void>;
  /** Those that ended although nobody killed them. */
  readonly deserters: () => Victim[];
  /** Ends what runs, outermost first; all, or all but one. May be called again. */
  readonly stop: (options?: { but?: Victim }) => Promise<void>;
};

export function keepHouse(home: Home, settings: Settings, running: Running): House {
  const processes = new Map<Victim, Process>(VICTIMS.map((victim) => [victim, running[victim]]));
  const down = new Set<Victim>();

  const start = (victim: Victim, whileStarting?: AbortSignal): Promise<Process> => {
    const options = { whileStarting };
    if (victim === "database") return startDatabase(home, settings);
    if (victim === "keyholder") return startKeyholder(home, options);
    if (victim === "desk") return startDesk(home, options);
    return startBureau(home, settings, options);
  };

  const cutOnce = async (victim: Victim, cutAfterMs: number) => {
    const cut = new AbortController();
    const timer = setTimeout(() => cut.abort(), cutAfterMs);
    try {
      const process = await start(victim, cut.signal);
      await process.kill();
    } catch {
      // It was cut, as it should be; or another process is missing, and the restart below waits for it.
    } finally {
      clearTimeout(timer);
    }
  };

  const restart = async (victim: Victim, cutAfterMs?: number) => {
    if (cutAfterMs !== undefined && victim !== "database") await cutOnce(victim, cutAfterMs);
    const deadline = Date.now() + RESTART_SECONDS * 1000;
    for (;;) {
      try {
        processes.set(victim, await within(RESTART_SECONDS, `the start of the ${victim}`, start(victim)));
        down.delete(victim);
        return;
      } catch (error) {
        if (Date.now() > deadline) throw error;
        await sleep(RETRY_MS);
      }
    }
  };

  return {
    kill: async (victim) => {
      down.add(victim);
      await within(END_SECONDS, `the killed ${victim}`, processes.get(victim)?.kill() ?? Promise.resolve());
    },
    restart,
    deserters: () => VICTIMS.filter((victim) => !down.has(victim) && !isAlive(processes.get(victim)?.pid)),
    stop: async ({ but } = {}) => {
      for (const victim of [...VICTIMS].reverse()) {
        const process = processes.get(victim);
        if (!process || down.has(victim) || victim === but) continue;
        down.add(victim);
        await endSurely(process);
      }
    },
  };
}

/** A process that does not heed SIGTERM is killed, so that no test leaves one behind. */
async function endSurely(process: Process): Promise<void> {
  try {
    await within(END_SECONDS, "an ordered end", process.stop());
  } catch {
    await process.kill();
  }
}

function isAlive(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
