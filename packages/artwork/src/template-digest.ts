import { createHash } from "node:crypto";
import type { Template } from "./template.ts";

/**
 * SHA-256 (hex) over a template's content: the layout as JSON with sorted keys, then every drawing and font by name, each
 * with its length. Spaces and the order of keys in `layout.json` do not count; anything that could change a face does.
 */
export function templateDigest({ layout, drawings, fonts }: Template): string {
  const hash = createHash("sha256");
  const add = (label: string, content: Uint8Array) => {
    hash.update(`${label} ${content.length}\n`);
    hash.update(content);
  };
  const text = new TextEncoder();
  add("layout", text.encode(JSON.stringify(sorted(layout))));
  for (const name of Object.keys(drawings).sort()) add(`drawing ${name}`, text.encode(drawings[name] ?? ""));
  for (const name of Object.keys(fonts).sort()) add(`font ${name}`, fonts[name] ?? new Uint8Array());
  return hash.digest("hex");
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
