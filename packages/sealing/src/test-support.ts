import { expect } from "vitest";
import { SealingError, type SealingErrorCode } from "./sealing-error.ts";

export const fromHex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));
export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
export const filled = (byte: number, length = 32): Uint8Array => new Uint8Array(length).fill(byte);

/** A copy with one bit turned. */
export const flipBit = (bytes: Uint8Array, bit: number): Uint8Array => {
  const copy = Uint8Array.from(bytes);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
};

const codeOf = (error: unknown): string => (error instanceof SealingError ? error.code : String(error));

/** Expects a refusal by SealingError with this code, or one of these. */
export const expectRefusal = (act: () => unknown, ...codes: SealingErrorCode[]): void => {
  let code = "nothing was thrown";
  try {
    act();
  } catch (error) {
    code = codeOf(error);
  }
  expect(codes).toContain(code);
};

export const expectAsyncRefusal = async (act: () => Promise<unknown>, ...codes: SealingErrorCode[]): Promise<void> => {
  const code = await act().then(() => "nothing was thrown", codeOf);
  expect(codes).toContain(code);
};
