import { readFileSync } from "node:fs";

/** One measured thing: its value, the floor from the same run, and whether the target was met. */
export type Measurement = {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly floor?: number;
  /** value ÷ floor. */
  readonly ratio?: number;
  readonly target: string;
  readonly met: boolean;
};

export const toLine = ({ name, value, unit, floor, ratio, target, met }: Measurement): string => {
  const parts = [`${value.toPrecision(4)} ${unit}`];
  if (floor !== undefined) parts.push(`floor ${floor.toPrecision(4)} ${unit}`);
  if (ratio !== undefined) parts.push(`ratio ${ratio.toFixed(2)}`);
  return `${met ? "met    " : "NOT MET"}  ${name}: ${parts.join(", ")} (target ${target})`;
};

/** Peak resident memory of a living process, in MiB (Linux: VmHWM). */
export function peakMemoryMib(pid: number): number {
  const match = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return match ? Number(match[1]) / 1024 : Number.NaN;
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
