import { crc32, deflateRawSync } from "node:zlib";

/** One entry, and the lies that are to be told of it. */
export type TestEntry = {
  readonly name: string;
  readonly content: string | Buffer;
  /** As it stands in the archive, where that is not the deflated content. */
  readonly packed?: Buffer;
  readonly method?: number;
  readonly flags?: number;
  /** Of Unix. */
  readonly mode?: number;
  /** What both headers say that it unpacks to. */
  readonly size?: number;
  readonly crc?: number;
  /** The name in the entry's own header, where it is another. */
  readonly localName?: string;
  /** Where the directory says that it stands. */
  readonly offset?: number;
  readonly zip64?: boolean;
};

const FULL = 0xffff_ffff;

/** A ZIP file of these parts, for tests that no honest spreadsheet program would help with. */
export function makeZip(parts: Readonly<Record<string, string | Buffer>>): Buffer {
  return makeArchive(Object.entries(parts).map(([name, content]) => ({ name, content })));
}

/** A ZIP file of these entries (APPNOTE 6.3.10, section 4.3), which says that there are `count` of them. */
export function makeArchive(entries: readonly TestEntry[], count = entries.length): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const bytes = Buffer.from(entry.content);
    const packed = entry.packed ?? (entry.method === 0 ? bytes : deflateRawSync(bytes));
    const sizes = { size: entry.size ?? bytes.length, packed: packed.length, offset: entry.offset ?? offset };
    const shared = toShared(entry, { ...sizes, crc: entry.crc ?? crc32(bytes) });
    const local = Buffer.from(entry.localName ?? entry.name);
    const localShared = Buffer.from(shared);
    localShared.writeUInt16LE(local.length, 22);
    const localExtra = entry.zip64 ? toZip64Field([sizes.size, sizes.packed]) : Buffer.alloc(0);
    localShared.writeUInt16LE(localExtra.length, 24);
    const file = [Buffer.from("PK\u0003\u0004", "latin1"), localShared, local, localExtra, packed];
    directory.push(toDirectoryEntry(entry, shared, sizes));
    files.push(...file);
    offset += file.reduce((sum, part) => sum + part.length, 0);
  }
  const central = Buffer.concat(directory);
  const zip64 = entries.some((entry) => entry.zip64);
  return Buffer.concat([...files, central, toEnd({ count, size: central.length, offset, zip64 })]);
}

/** The 26 bytes that both of an entry's headers have. */
function toShared(entry: TestEntry, said: { size: number; packed: number; crc: number }): Buffer {
  const shared = Buffer.alloc(26);
  shared.writeUInt16LE(20, 0);
  shared.writeUInt16LE(entry.flags ?? 0x800, 2);
  shared.writeUInt16LE(entry.method ?? 8, 4);
  shared.writeUInt32LE(said.crc, 10);
  shared.writeUInt32LE(entry.zip64 ? FULL : said.packed, 14);
  shared.writeUInt32LE(entry.zip64 ? FULL : said.size, 18);
  shared.writeUInt16LE(Buffer.byteLength(entry.name), 22);
  return shared;
}

function toDirectoryEntry(entry: TestEntry, shared: Buffer, said: { size: number; packed: number; offset: number }) {
  const extra = entry.zip64 ? toZip64Field([said.size, said.packed, said.offset]) : Buffer.alloc(0);
  const own = Buffer.from(shared);
  own.writeUInt16LE(extra.length, 24);
  const rest = Buffer.alloc(14);
  rest.writeUInt32LE(((entry.mode ?? 0) << 16) >>> 0, 6);
  rest.writeUInt32LE(entry.zip64 ? FULL : said.offset, 10);
  return Buffer.concat([
    Buffer.from("PK\u0001\u0002\u0014\u0003", "latin1"),
    own,
    rest,
    Buffer.from(entry.name),
    extra,
  ]);
}

function toZip64Field(numbers: readonly number[]): Buffer {
  const field = Buffer.alloc(4 + 8 * numbers.length);
  field.writeUInt16LE(1, 0);
  field.writeUInt16LE(8 * numbers.length, 2);
  numbers.forEach((number, at) => {
    field.writeBigUInt64LE(BigInt(number), 4 + 8 * at);
  });
  return field;
}

function toEnd(said: { count: number; size: number; offset: number; zip64: boolean }): Buffer {
  const end = Buffer.alloc(22);
  end.write("PK\u0005\u0006", 0, "latin1");
  end.writeUInt16LE(said.zip64 ? 0xffff : said.count, 8);
  end.writeUInt16LE(said.zip64 ? 0xffff : said.count, 10);
  end.writeUInt32LE(said.zip64 ? FULL : said.size, 12);
  end.writeUInt32LE(said.zip64 ? FULL : said.offset, 16);
  if (!said.zip64) return end;
  const record = Buffer.alloc(56);
  record.write("PK\u0006\u0006", 0, "latin1");
  record.writeBigUInt64LE(44n, 4);
  [said.count, said.count, said.size, said.offset].forEach((number, at) => {
    record.writeBigUInt64LE(BigInt(number), 24 + 8 * at);
  });
  const locator = Buffer.alloc(20);
  locator.write("PK\u0006\u0007", 0, "latin1");
  locator.writeBigUInt64LE(BigInt(said.offset + said.size), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([record, locator, end]);
}

const NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"';
const REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const relationships = (...targets: [id: string, type: string, target: string][]): string =>
  `<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${targets
    .map(([id, type, target]) => `<Relationship Id="${id}" Type="${REL}/${type}" Target="${target}"/>`)
    .join("")}</Relationships>`;

/** The least workbook around one visible sheet's XML and its shared strings' XML. */
export function makeWorkbook(
  sheet: string,
  strings = `<sst ${NS}/>`,
  more: Readonly<Record<string, string>> = {},
): Buffer {
  return makeZip({
    "_rels/.rels": relationships(["r1", "officeDocument", "xl/workbook.xml"]),
    "xl/workbook.xml": `<workbook ${NS} xmlns:r="${REL}"><sheets><sheet name="Secret" sheetId="2" state="veryHidden" r:id="r9"/><sheet name="People" sheetId="1" r:id="r1"/></sheets></workbook>`,
    "xl/_rels/workbook.xml.rels": relationships(
      ["r1", "worksheet", "worksheets/sheet1.xml"],
      ["r2", "sharedStrings", "sharedStrings.xml"],
    ),
    "xl/worksheets/sheet1.xml": sheet,
    "xl/sharedStrings.xml": strings,
    ...more,
  });
}
