import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from "yaml";
import type { KeyPath } from "./faults.ts";

/** The largest agreement file, in bytes. */
export const MAX_FILE_BYTES = 262_144;
const MAX_LINE_CHARACTERS = 2_000;
const MAX_NESTING = 32;

export type YamlFault = { readonly line: number; readonly expected: string; readonly found: string };
export type ReadYaml =
  | { readonly ok: true; readonly value: unknown; readonly lineOf: (path: KeyPath) => number }
  | { readonly ok: false; readonly faults: readonly YamlFault[] };

const refuse = (line: number, expected: string, found: string): ReadYaml => ({
  ok: false,
  faults: [{ line, expected, found }],
});

/**
 * Reads the plain part of YAML 1.2: blocks, lists, text, numbers. Aliases, anchors, tags, directives, several documents,
 * repeated keys and deep nesting are refused, before they can cost time or memory.
 */
export const readYaml = (text: string): ReadYaml => {
  const unfit = checkSize(text);
  if (unfit !== undefined) return unfit;
  const lines = new LineCounter();
  // Repeated keys are looked for below: the parser's own check takes quadratic time.
  const document = parseDocument(text, { lineCounter: lines, schema: "core", uniqueKeys: false, prettyErrors: false });
  const lineAt = (offset: number): number => Math.max(1, lines.linePos(offset).line);
  const faults: YamlFault[] = [...document.errors, ...document.warnings].map((problem) => ({
    line: lineAt(problem.pos[0]),
    expected: yamlExpectation[problem.code] ?? "YAML 1.2",
    found: `something that YAML does not allow (${problem.code})`,
  }));
  if (document.directives?.yaml.explicit === true) faults.push({ line: 1, expected: "no % directive", found: "one" });
  faults.push(...findFancyNodes(document, lineAt));
  if (faults.length > 0) return { ok: false, faults };
  return {
    ok: true,
    value: document.toJS({ maxAliasCount: 0 }),
    lineOf: (path) => lineAt(toOffset(document, path)),
  };
};

const yamlExpectation: Readonly<Record<string, string>> = {
  MULTIPLE_DOCS: "one document",
  TAG_RESOLVE_FAILED: "no tag",
  TAB_AS_INDENT: "spaces for indentation, not tabs",
  BAD_INDENT: "consistent indentation",
};

const checkSize = (text: string): ReadYaml | undefined => {
  if (text.length > MAX_FILE_BYTES) return refuse(1, `at most ${MAX_FILE_BYTES} bytes`, "more");
  if (text.startsWith("\uFEFF")) return refuse(1, "UTF-8 without byte order mark", "one");
  let open = 0;
  for (const [at, line] of text.split("\n").entries()) {
    if (line.length > MAX_LINE_CHARACTERS)
      return refuse(at + 1, `lines of at most ${MAX_LINE_CHARACTERS} characters`, "a longer one");
    for (const letter of line) {
      if (letter === "[" || letter === "{") open++;
      else if (letter === "]" || letter === "}") open = Math.max(0, open - 1);
      if (open > MAX_NESTING) return refuse(at + 1, `at most ${MAX_NESTING} open brackets`, "more");
    }
    if (/^\s*(?:[-?:]\s+){4}/.test(line)) return refuse(at + 1, `at most 3 list marks on a line`, "more");
  }
  return undefined;
};

const findFancyNodes = (document: Document.Parsed, lineAt: (offset: number) => number): YamlFault[] => {
  const faults: YamlFault[] = [];
  const add = (node: Node, expected: string, found: string): void => {
    faults.push({ line: lineAt(node.range?.[0] ?? 0), expected, found });
  };
  visit(document, {
    Node: (_key, node) => {
      if (isAlias(node)) add(node, "no alias (*name): write it out", "an alias");
      else if (node.anchor !== undefined) add(node, "no anchor (&name)", "an anchor");
      if (node.tag !== undefined) add(node, "no tag (!name)", "a tag");
      if (isMap(node)) faults.push(...findBadKeys(node.items, lineAt));
      return undefined;
    },
  });
  return faults;
};

const findBadKeys = (pairs: readonly { key: unknown }[], lineAt: (offset: number) => number): YamlFault[] => {
  const seen = new Set<string>();
  return pairs.flatMap(({ key }) => {
    const line = lineAt(isNode(key) ? (key.range?.[0] ?? 0) : 0);
    if (!isScalar(key) || typeof key.value !== "string")
      return [{ line, expected: "keys that are words", found: "another kind" }];
    if (seen.has(key.value)) return [{ line, expected: "each key only once in its block", found: "a repeated key" }];
    seen.add(key.value);
    return [];
  });
};

/** The offset of the deepest node on the path that exists: of a pair its key, of a list's item the item. */
const toOffset = (document: Document.Parsed, path: KeyPath): number => {
  let node: unknown = document.contents;
  let offset = document.contents?.range[0] ?? 0;
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === part);
      if (pair === undefined || !isNode(pair.key)) return offset;
      offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node) && typeof part === "number") {
      const item = node.items[part];
      if (!isNode(item)) return offset;
      offset = item.range?.[0] ?? offset;
      node = item;
    } else return offset;
  }
  return offset;
};
