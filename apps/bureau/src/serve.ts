import { destination, type Logger, pino } from "pino";
import { composeBureau } from "./compose.ts";
import { startSessions } from "./lines/sessions.ts";
import { createServer } from "./server/server.ts";

/** A bureau that listens on loopback; `stop` ends what waits, and leaves what is recorded for the next start. */
export type ListeningBureau = { readonly port: number; readonly stop: () => Promise<void> };

export async function startBureau(options: {
  folder: string;
  port: number;
  log: Logger;
  now: () => Date;
}): Promise<ListeningBureau> {
  const { folder, log, now } = options;
  const { bureau, close } = await composeBureau({ folder, log, now });
  const sessions = startSessions(bureau);
  const server = createServer(bureau, sessions);
  const end = async (): Promise<void> => {
    await close(() => sessions.ended());
    await server.close();
  };
  try {
    await server.listen({ host: "127.0.0.1", port: options.port });
  } catch (error) {
    await end();
    throw error;
  }
  const [address] = server.addresses();
  let ending: Promise<void> | undefined;
  return {
    port: typeof address === "object" ? address.port : options.port,
    stop: () => {
      ending ??= end();
      return ending;
    },
  };
}

/** Runs the bureau until SIGTERM or SIGINT. Prints one line on stdout when it listens; logs go to stderr. */
export async function serve(options: { folder: string; port: number; logLevel: string }): Promise<void> {
  const log = pino({ level: options.logLevel, base: { app: "bureau" } }, destination(2));
  const { port, stop } = await startBureau({ folder: options.folder, port: options.port, log, now: () => new Date() });
  process.stdout.write(`${JSON.stringify({ ready: true, port })}\n`);
  let _stopping: Promise<void> | undefined;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      _stopping ??= stop();
    });
  }
}
