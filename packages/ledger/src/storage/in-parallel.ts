/** Files moved at once: more does not make a disk or a store faster. */
const PARALLEL = 8;

export const inParallel = async <T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> => {
  const queue = items.values();
  const lanes = Array.from({ length: Math.min(PARALLEL, items.length) }, async () => {
    for (const item of queue) await work(item);
  });
  await Promise.all(lanes);
};
