import { readFileSync } from "node:fs";

/** One measured thing: its value, the floor from the same run, and whether the target was met. */
export type Measurement = {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly floor?: number;
  /** value ÷ floor. */
  readonly ratio?: number;
  /** Absent where the figure only explains others. */
  readonly target?: string;
  readonly met?: boolean;
};

export const toLine = ({ name, value, unit, floor, ratio, target, met }: Measurement): string => {
  const parts = [`${value.toPrecision(4)} ${unit}`];
  if (floor !== undefined) parts.push(`floor ${floor.toPrecision(4)} ${unit}`);
  if (ratio !== undefined) parts.push(`ratio ${ratio.toFixed(2)}`);
  if (target === undefined) return `         ${name}: ${parts.join(", ")}`;
  return `${met ? "met    " : "NOT MET"}  ${name}: ${parts.join(", ")} (target ${target})`;
};

/** Peak resident memory of a living process, in MiB (Linux: VmHWM). */
export function peakMemoryMib(pid: number): number {
  const match = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return match ? Number(match[1]) / 1024 : Number.NaN;
}

const TICKS_PER_SECOND = 100;

/** Processor seconds of a living process, with its children, dead or alive (Linux: /proc, in ticks of 10 ms). */
export function cpuSeconds(pid: number): number {
  const own = ticksOf(pid, 4);
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  return children.reduce((sum, child) => sum + ticksOf(child, 2), own) / TICKS_PER_SECOND;
}

/** utime and stime, and with 4 also those of dead children; 0 for a process that is gone (proc_pid_stat(5)). */
function ticksOf(pid: number, counters: 2 | 4): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields.slice(11, 11 + counters).reduce((sum, ticks) => sum + Number(ticks), 0);
  } catch {
    return 0;
  }
}

export async function secondsOf<T>(work: () => Promise<T>): Promise<{ seconds: number; value: T }> {
  const started = performance.now();
  const value = await work();
  return { seconds: (performance.now() - started) / 1000, value };
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
