import { composeDesk } from "./compose.ts";
import type { Config } from "./config.ts";
import { migrate } from "./database/migrations.ts";
import type { Desk } from "./desk.ts";
import { createServer } from "./server/server.ts";
import { startWork } from "./server/work.ts";

/** Runs the desk until it is told to end; resolves when it listens. */
export async function serveDesk(config: Config): Promise<{ desk: Desk; port: number; stop: () => Promise<void> }> {
  const { desk, close } = await composeDesk(config);
  try {
    await migrate(desk.pool);
    desk.sequencer.start();
    const work = await startWork(desk);
    const app = createServer(desk);
    await app.listen({ host: "127.0.0.1", port: config.port });
    const address = app.server.address();
    const port = typeof address === "object" && address !== null ? address.port : config.port;
    const stop = async () => {
      await app.close();
      await work.stop();
      await desk.sequencer.stop();
      await close();
    };
    return { desk, port, stop };
  } catch (error) {
    await desk.sequencer.stop();
    await close();
    throw error;
  }
}
