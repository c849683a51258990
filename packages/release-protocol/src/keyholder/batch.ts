import { z } from "zod";

/** At most this many items in one keyholder call. */
export const KEYHOLDER_BATCH = 4096;

export const batch = <T extends z.ZodType>(item: T) => z.array(item).max(KEYHOLDER_BATCH);
