type Waiting<Item, Answer> = {
  readonly item: Item;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
};

/** Under load a batch waits for `enough` items, but no longer than `longestMs`: fewer, fuller batches cost less each. */
export type Gathering = { readonly enough: number; readonly longestMs: number };

/**
 * Gathers what is asked while the work before it runs, and does it in one go: `work` answers one for each item, in order,
 * or throws for all of them. One batch at a time, so that what comes first is done first. `gather` counts as load when
 * the batch before was at least half of `enough`; whoever asks alone is never kept waiting.
 */
export function createBatcher<Item, Answer>(options: {
  readonly max: number;
  readonly work: (items: readonly Item[]) => Promise<readonly Answer[]>;
  readonly gather?: Gathering;
}): (item: Item) => Promise<Answer> {
  const { max, work, gather } = options;
  const queue: Waiting<Item, Answer>[] = [];
  let running = false;
  let lastSize = 0;
  let onArrival = (): void => undefined;
  const untilEnough = async ({ enough, longestMs }: Gathering): Promise<void> => {
    if (lastSize < enough / 2 || queue.length >= enough) return;
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
      const batch = queue.splice(0, max);
      lastSize = batch.length;
      await runBatch(batch, work);
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
