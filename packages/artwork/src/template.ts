import type { Layout } from "./layout-schema.ts";

/** A card's two faces as data; it can be posted to a worker thread. Drawings are SVG source, fonts TrueType bytes, by the names that the layout gives them. */
export type Template = {
  readonly layout: Layout;
  readonly drawings: Readonly<Record<string, string>>;
  readonly fonts: Readonly<Record<string, Uint8Array>>;
};
