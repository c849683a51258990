/** What is wrong with the list of a person's entries (docs/spec/census.md, section 5). `n` is the person's, `index` the log's. */
export type CompletenessFault =
  | { readonly kind: "gap"; readonly n: number }
  | { readonly kind: "duplicate"; readonly n: number; readonly indices: readonly number[] }
  | { readonly kind: "not-included"; readonly index: number }
  | { readonly kind: "openings-missing" | "unreadable"; readonly n: number; readonly index: number }
  /** `digest` is the SHA-256 that the leaf names, in hex. */
  | { readonly kind: "openings-changed"; readonly n: number; readonly index: number; readonly digest: string }
  | { readonly kind: "other-subject"; readonly n: number; readonly index: number }
  | { readonly kind: "tail-dropped"; readonly n: number; readonly seq: number }
  | { readonly kind: "census-missing" | "census-differs" | "left-out" | "count-fell"; readonly seq: number }
  | { readonly kind: "census-withheld"; readonly seq: number; readonly index: number };
