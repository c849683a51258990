/** The value, or `undefined` for a text that is no JSON: whoever reads it demands a shape of it anyway. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
