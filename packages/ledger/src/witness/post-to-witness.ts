import { concat } from "../bytes.ts";

/** Longest answer that is read, in bytes: some signature lines. */
const MAX_ANSWER_BYTES = 65_536;

/** One add-checkpoint call. Rejects where the witness cannot be reached, answers too much, or `signal` says so. */
export const postToWitness = async (
  url: string,
  body: Uint8Array,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly type: string; readonly body: Uint8Array }> => {
  const response = await fetch(`${url.replace(/\/+$/, "")}/add-checkpoint`, {
    method: "POST",
    body: Uint8Array.from(body),
    signal,
    redirect: "error",
  });
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
    length += part.value.length;
    if (length > MAX_ANSWER_BYTES) {
      await reader?.cancel();
      throw new RangeError("the witness answers more than a witness would");
    }
    chunks.push(part.value);
  }
  return { status: response.status, type: response.headers.get("content-type") ?? "", body: concat(chunks) };
};
