/** A storage that a worker opens by itself, or one that it asks the caller's thread to read from. */
export type CrewStorage = { readonly folder: string } | "asked";

export type CrewSetup = {
  readonly tiles: CrewStorage;
  readonly openings?: CrewStorage;
  readonly anyEntries: boolean;
  readonly markKey?: Uint32Array;
};

/** Full bundles that stand side by side. */
export type Run = { readonly first: number; readonly count: number };

export type ToWorker =
  | ({ readonly kind: "run" } & Run)
  | { readonly kind: "bytes"; readonly id: number; readonly bytes: Uint8Array | undefined }
  | { readonly kind: "unreadable"; readonly id: number };

/** What a run came to: the roots and marks of its first `done` bundles, one after another. */
export type RunResult = { readonly done: number; readonly roots: Uint8Array; readonly marks: Uint32Array };

export type FromWorker =
  | ({ readonly kind: "result"; readonly first: number } & RunResult)
  | { readonly kind: "read"; readonly id: number; readonly of: "tiles" | "openings"; readonly path: string };
