type Waiting<Item, Answer> = {
  readonly item: Item;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
};

/** While it is busy a batch waits for `enough` items, but no longer than `longestMs`: fewer, fuller batches cost less. */
export type Gathering = { readonly enough: number; readonly longestMs: number; readonly isBusy: () => boolean };

/** A bureau of 64 lines asks in two or three such batches by turns: while one is being decided, the other prints. */
export const gatherWhile = (isBusy: () => boolean): Gathering => ({ enough: 16, longestMs: 40, isBusy });

/**
 * Gathers what is asked while the work before it runs, and does it in one go: `work` answers one for each item, in order,
 * or throws for all of them. One batch at a time, so that what comes first is done first.
 */
export function createBatcher<Item, Answer>(options: {
  readonly max: number;
  readonly work: (items: readonly Item[]) => Promise<readonly Answer[]>;
  readonly gather?: Gathering;
}): (item: Item) => Promise<Answer> {
  const { max, work, gather } = options;
  const queue: Waiting<Item, Answer>[] = [];
  let running = false;
  let onArrival = (): void => undefined;
  const untilEnough = async ({ enough, longestMs, isBusy }: Gathering): Promise<void> => {
    if (queue.length >= enough || !isBusy()) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, longestMs);
      onArrival = () => {
        if (queue.length < enough) return;
        clearTimeout(timer);
        resolve();
      };
    });
    onArrival = () => undefined;
  };
  const run = async (): Promise<void> => {
    running = true;
    // What arrives in the same turn of the event loop belongs together.
    await new Promise((resolve) => setImmediate(resolve));
    while (queue.length > 0) {
      if (gather !== undefined) await untilEnough(gather);
      await runBatch(queue.splice(0, max), work);
    }
    running = false;
  };
  return (item) =>
    new Promise((resolve, reject) => {
      queue.push({ item, resolve, reject });
      onArrival();
      if (!running) void run();
    });
}

async function runBatch<Item, Answer>(
  batch: readonly Waiting<Item, Answer>[],
  work: (items: readonly Item[]) => Promise<readonly Answer[]>,
): Promise<void> {
  try {
    const answers = await work(batch.map(({ item }) => item));
    if (answers.length !== batch.length) throw new Error(`${answers.length} answers for ${batch.length} questions`);
    for (const [at, answer] of answers.entries()) batch[at]?.resolve(answer);
  } catch (error) {
    for (const { reject } of batch) reject(error);
  }
}
