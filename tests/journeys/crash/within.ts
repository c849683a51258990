/** A wait went over its bound: something hangs. */
export class HangError extends Error {
  override readonly name = "HangError";
}

/** Waits for `work`, at most `seconds`; beyond that the wait itself is the failure that is reported. */
export async function within<T>(seconds: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new HangError(`${what} did not end within ${seconds} s`)), seconds * 1000);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
