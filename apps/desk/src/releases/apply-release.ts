import type { ReleasableJob, ReleaseEffects, ReleaseState } from "./decide-release.ts";

/** The state after a reservation: what the next request of the same batch is decided by. */
export function applyRelease(
  state: ReleaseState & { readonly job: ReleasableJob },
  request: { readonly line: string },
  change: { readonly effects: ReleaseEffects; readonly nextChain: string },
): ReleaseState & { readonly job: ReleasableJob } {
  const { effects, nextChain } = change;
  return {
    ...state,
    job: { ...state.job, state: "reserved", attempt: effects.attempt, line: request.line },
    recipient: {
      bucket: effects.bucket,
      unaccounted: state.recipient.unaccounted + effects.unaccountedMore,
      lines: state.recipient.lines + (state.line.pinned ? 0 : 1),
    },
    line: { chain: nextChain, open: state.line.open + effects.lineOpenMore, pinned: true },
  };
}
