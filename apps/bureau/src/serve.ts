import { destination, pino } from "pino";
import { composeBureau } from "./compose.ts";
import { startSessions } from "./lines/sessions.ts";
import { createServer } from "./server/server.ts";

/** Runs the bureau until SIGTERM or SIGINT. Prints one line on stdout when it listens; logs go to stderr. */
export async function serve(options: { folder: string; port: number; logLevel: string }): Promise<void> {
  const log = pino({ level: options.logLevel, base: { app: "bureau" } }, destination(2));
  const { bureau, close } = await composeBureau({ folder: options.folder, log, now: () => new Date() });
  const sessions = startSessions(bureau);
  const server = createServer(bureau, sessions);
  await server.listen({ host: "127.0.0.1", port: options.port });
  const port = server.addresses()[0]?.port;
  process.stdout.write(`${JSON.stringify({ ready: true, port })}\n`);
  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    await close();
    await server.close();
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void stop());
}
