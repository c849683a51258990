import { LedgerError } from "../error.ts";

/** The first thing in a log that does not fit. */
export type LogFault = {
  readonly kind: "checkpoint" | "missing" | "entry" | "tile" | "entry-or-tile" | "openings" | "root";
  /** The file, below the folder of the log or of the openings. */
  readonly path: string;
  /** The entry, where it is known. */
  readonly index?: number;
  /** The region of the file, half-open, where it is known; beyond the end of the file where bytes are missing. */
  readonly bytes?: { readonly from: number; readonly to: number };
  readonly message: string;
};

/** A fault on its way to the verdict; never leaves the package. */
export class Misfit extends Error {
  readonly fault: LogFault;
  constructor(fault: LogFault) {
    super(fault.message);
    this.fault = fault;
  }
}

/** Runs a step, and turns what the package throws into the fault that it is. */
export const orFault = async <T>(place: Omit<LogFault, "message">, work: () => T | Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof LedgerError) || error.code === "storage-failed") throw error;
    throw new Misfit({
      ...place,
      kind: error.code === "tile-missing" ? "missing" : place.kind,
      message: error.message,
    });
  }
};
