type Waiting<Item, Answer> = {
  readonly item: Item;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
};

/**
 * Gathers what is asked while the work before it runs, and does it in one go: `work` answers one for each item, in order,
 * or throws for all of them. One batch at a time, so that what comes first is done first.
 */
export function createBatcher<Item, Answer>(options: {
  readonly max: number;
  readonly work: (items: readonly Item[]) => Promise<readonly Answer[]>;
}): (item: Item) => Promise<Answer> {
  const queue: Waiting<Item, Answer>[] = [];
  let running = false;
  const run = async (): Promise<void> => {
    running = true;
    // What arrives in the same turn of the event loop belongs together.
    await new Promise((resolve) => setImmediate(resolve));
    while (queue.length > 0) await runBatch(queue.splice(0, options.max), options.work);
    running = false;
  };
  return (item) =>
    new Promise((resolve, reject) => {
      queue.push({ item, resolve, reject });
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
