import type { StartCrew } from "./crew-types.ts";

/** Where there are no threads to be had, the caller's does it all. */
export const startCrew: StartCrew = () => undefined;
