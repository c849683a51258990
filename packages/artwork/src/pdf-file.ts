import { deflateSync } from "node:zlib";

/** An indirect object's whole content, and its number in the file. */
export type PdfObject = { readonly id: number; readonly bytes: Uint8Array };

export const ascii = (text: string): Uint8Array => Buffer.from(text, "latin1");

export function plainObject(id: number, body: string): PdfObject {
  return { id, bytes: ascii(`${id} 0 obj\n${body}\nendobj\n`) };
}

export function streamObject(id: number, entries: string, data: Uint8Array): PdfObject {
  const head = ascii(`${id} 0 obj\n<<${entries}/Length ${data.length}>>\nstream\n`);
  return { id, bytes: Buffer.concat([head, data, ascii("\nendstream\nendobj\n")]) };
}

export function deflatedObject(id: number, entries: string, data: Uint8Array): PdfObject {
  return streamObject(id, `${entries}/Filter/FlateDecode`, deflateSync(data, { level: 3 }));
}

/**
 * A PDF 1.7 file of these objects (ISO 32000-1, 7.5), numbered 1 to n without gaps, object 1 being the catalogue. It has
 * no information dictionary, no dates and no file identifier: nothing that varies, nothing about a person.
 */
export function writePdf(objects: readonly PdfObject[]): Uint8Array {
  const sorted = objects.toSorted((left, right) => left.id - right.id);
  const header = Buffer.from("%PDF-1.7\n%\u00e2\u00e3\u00cf\u00d3\n", "latin1");
  let at = header.length;
  const rows = ["0000000000 65535 f \n"];
  for (const { bytes } of sorted) {
    rows.push(`${String(at).padStart(10, "0")} 00000 n \n`);
    at += bytes.length;
  }
  const trailer = `xref\n0 ${rows.length}\n${rows.join("")}trailer\n<</Size ${rows.length}/Root 1 0 R>>\nstartxref\n${at}\n%%EOF\n`;
  return new Uint8Array(Buffer.concat([header, ...sorted.map(({ bytes }) => bytes), ascii(trailer)]));
}
