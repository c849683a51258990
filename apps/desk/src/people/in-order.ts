/** How many pieces of work are under way at once. */
const AHEAD = 3;

/**
 * Does `work` on what comes, a few at a time, and gives the results in the order of what came; the source is read on
 * while work is under way. What the source or the work throws is thrown.
 */
export async function* inOrder<T, R>(source: AsyncIterable<T>, work: (item: T) => Promise<R>): AsyncGenerator<R> {
  const underWay: Promise<R>[] = [];
  try {
    for await (const item of source) {
      const begun = work(item);
      // Its failure is thrown where its turn comes; until then it is not an unhandled one.
      begun.catch(() => undefined);
      underWay.push(begun);
      const [first] = underWay;
      if (underWay.length >= AHEAD && first !== undefined) {
        yield await first;
        underWay.shift();
      }
    }
    for (let first = underWay[0]; first !== undefined; first = underWay[0]) {
      yield await first;
      underWay.shift();
    }
  } finally {
    // Nobody waits for these any more, and nothing may go on behind the caller's back.
    await Promise.allSettled(underWay);
  }
}
