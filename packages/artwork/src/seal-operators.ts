import encodeQR from "qr";
import { ArtworkError } from "./artwork-error.ts";
import { toBox } from "./face-operators.ts";
import type { LayoutElement } from "./layout-schema.ts";
import { boxPath, colour, concat, MM } from "./pdf-operators.ts";

type SealElement = Extract<LayoutElement, { type: "seal" }>;

/** ISO/IEC 18004 asks for four modules of empty margin. */
const QUIET_MODULES = 4;
const MAX_SEAL_LENGTH = 1_200;

const square = ({ xMm, yMm, sizeMm }: SealElement) => ({ xMm, yMm, widthMm: sizeMm, heightMm: sizeMm });

/** The QR code as black rows in one path, on its own paper with its quiet zone. @throws ArtworkError `seal-too-long` */
export function drawSeal(element: SealElement, seal: string, colours: Readonly<Record<string, string>>): string {
  const modules = encodeSeal(seal);
  const box = toBox(square(element));
  const scale = box.width / modules.length;
  const place = concat(scale, 0, 0, -scale, box.x, box.y + box.height);
  const paper = `${colour(colours[element.paper] ?? "", "rg")}${boxPath(box, 0.8 * MM)}f\n`;
  return `q\n${paper}${colour(colours[element.ink] ?? "", "rg")}${place}${modules.map(rowRuns).join("")}f\nQ\n`;
}

/** What stands in the seal's place while a card has none. */
export function drawReserved(element: SealElement, colours: Readonly<Record<string, string>>): string {
  const frame = boxPath(toBox(square(element)), 0.8 * MM);
  return `q\n${colour(colours[element.paper] ?? "", "rg")}${colour(colours[element.ink] ?? "", "RG")}0.4 w\n[1.6 1.2] 0 d\n${frame}B\nQ\n`;
}

function encodeSeal(seal: string): boolean[][] {
  if (seal.length === 0 || seal.length > MAX_SEAL_LENGTH) {
    throw new ArtworkError("seal-too-long", `a seal of 1 to ${MAX_SEAL_LENGTH} characters is required`);
  }
  return encodeQR(seal, "raw", { ecc: "medium", border: QUIET_MODULES });
}

/** A little taller than a module, so that no renderer leaves a hairline between rows. */
function rowRuns(row: readonly boolean[], y: number): string {
  let out = "";
  for (let x = 0; x < row.length; x++) {
    if (row[x] !== true) continue;
    const start = x;
    while (row[x + 1] === true) x += 1;
    out += `${start} ${y} ${x + 1 - start} 1.03 re\n`;
  }
  return out;
}
