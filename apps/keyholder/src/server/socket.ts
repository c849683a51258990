import { chmodSync, lstatSync, unlinkSync } from "node:fs";
import { connect } from "node:net";

/** Makes room for a socket: what a dead process left is removed; a living one, or another kind of file, is an error. */
export async function clearSocket(path: string): Promise<void> {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (!stats.isSocket()) throw new Error(`${path} is there and is no socket; choose another place`);
  if (await answers(path)) throw new Error(`another process listens on ${path}; end it first`);
  unlinkSync(path);
}

/** Only the keyholder's own OS user may connect, and its group where the desk runs as another user of that group. */
export const closeToOthers = (path: string, options: { isOpenToGroup: boolean }): void =>
  chmodSync(path, options.isOpenToGroup ? 0o660 : 0o600);

const answers = (path: string): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED" || error.code === "ENOENT") resolve(false);
      else reject(error);
    });
  });
