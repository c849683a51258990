import type { Desk } from "../desk.ts";

/** Something that the desk does again and again by itself. */
export type Chore = { readonly name: string; readonly everyMs: number; readonly run: (desk: Desk) => Promise<unknown> };
