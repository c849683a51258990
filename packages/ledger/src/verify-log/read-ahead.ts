/** Reads things in order, the next few of them while the one before is worked on. */
export type ReadAhead<T> = { readonly take: (index: number) => T };

/** `read` must start at once and answer promises whose rejections are handled. */
export const createReadAhead = <T>(
  read: (index: number) => T,
  { end, depth }: { end: number; depth: number },
): ReadAhead<T> => {
  const held = new Map<number, T>();
  return {
    take: (index) => {
      for (const earlier of held.keys()) if (earlier < index) held.delete(earlier);
      for (let next = index; next < Math.min(end, index + 1 + depth); next++) {
        if (!held.has(next)) held.set(next, read(next));
      }
      const taken = held.get(index) ?? read(index);
      held.delete(index);
      return taken;
    },
  };
};
