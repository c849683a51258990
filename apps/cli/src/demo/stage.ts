import type { ExtractSummary } from "../example-force/index.ts";
import type { Progress } from "../progress.ts";
import type { Home, Settings } from "../services/installation.ts";

/** What every act of the demonstration needs. */
export type Stage = {
  readonly home: Home;
  readonly settings: Settings;
  readonly progress: Progress;
  readonly extractFolder: string;
  readonly extract: ExtractSummary;
  readonly since: Date;
};
