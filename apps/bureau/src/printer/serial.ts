/** In groups of four digits: no piece of a serial can be taken for the number of a person. */
export function toSerial(prefix: string, number: number): string {
  const digits = String(number).padStart(8, "0");
  return `${prefix}-${digits.replace(/^(\d+)(\d{4})$/, "$1-$2")}`;
}

/** The number in a serial that `toSerial` made with this prefix; `undefined` for any other text. */
export function readSerial(prefix: string, serial: string): number | undefined {
  const digits = serial.startsWith(`${prefix}-`) ? serial.slice(prefix.length + 1) : "";
  return /^\d{4,}-\d{4}$/.test(digits) ? Number(digits.replace("-", "")) : undefined;
}
