import { createWriteStream } from "node:fs";
import { connect, createServer, type Server } from "node:net";

/** A wire tap: passes TCP through to `target` and records every byte of both directions, as a thief on the wire would. */
export async function startTap(options: {
  port: number;
  target: number;
  file: string;
}): Promise<{ stop: () => Promise<void> }> {
  const record = createWriteStream(options.file, { flags: "a", mode: 0o600 });
  const open = new Set<{ destroy: () => void }>();
  const server: Server = createServer((near) => {
    const far = connect(options.target, "127.0.0.1");
    open.add(near).add(far);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.setNoDelay(true);
      from.on("data", (chunk: Buffer) => {
        record.write(chunk);
        if (!to.write(chunk)) from.pause();
      });
      to.on("drain", () => from.resume());
      from.on("end", () => to.end());
      from.on("error", () => to.destroy());
      from.on("close", () => {
        open.delete(from);
        to.destroy();
      });
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, "127.0.0.1", resolve);
  });
  return {
    stop: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await new Promise<void>((resolve) => record.end(resolve));
    },
  };
}
