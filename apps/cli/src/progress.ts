/** Says on stderr what is going on: a line a step, with its time; a bar where stderr is a terminal. */
export type Progress = {
  /** `unit` is what the bar counts, such as "MB". */
  step: <T>(
    title: string,
    work: (report: (done: number, of: number) => void) => Promise<T>,
    unit?: string,
  ) => Promise<T>;
  note: (text: string) => void;
};

const BAR_WIDTH = 24;
const REDRAW_MS = 100;

export function createProgress(stream: NodeJS.WriteStream): Progress {
  const clear = stream.isTTY ? "\r\u001b[2K" : "";
  return {
    note: (text) => stream.write(`  ${text}\n`),
    step: async (title, work, unit) => {
      const started = Date.now();
      let drawn = 0;
      const report = (done: number, of: number) => {
        if (!stream.isTTY || Date.now() - drawn < REDRAW_MS) return;
        drawn = Date.now();
        const filled = of > 0 ? Math.min(BAR_WIDTH, Math.round((done / of) * BAR_WIDTH)) : 0;
        stream.write(
          `${clear}  ${"█".repeat(filled)}${"░".repeat(BAR_WIDTH - filled)} ${title}: ${done} of ${of}${unit === undefined ? "" : ` ${unit}`}`,
        );
      };
      if (stream.isTTY) stream.write(`  … ${title}`);
      try {
        const value = await work(report);
        stream.write(`${clear}  ✓ ${title} (${((Date.now() - started) / 1000).toFixed(1)} s)\n`);
        return value;
      } catch (error) {
        stream.write(`${clear}  ✗ ${title}\n`);
        throw error;
      }
    },
  };
}
