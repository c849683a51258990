import { ArtworkError } from "./artwork-error.ts";
import { curveTo, lineTo, moveTo } from "./pdf-operators.ts";

const ARGUMENTS: Readonly<Record<string, number>> = { M: 2, L: 2, H: 1, V: 1, C: 6, S: 4, Q: 4, T: 2, A: 7, Z: 0 };
const PIECE = /[\s,]*(?:([MmLlHhVvCcSsQqTtAaZz])|([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?))/y;

type Pen = {
  x: number;
  y: number;
  startX: number;
  startY: number;
  cubicX: number;
  cubicY: number;
  quadX: number;
  quadY: number;
};

/** PDF path operators for SVG path data (SVG 2, section 9.3). @throws ArtworkError `svg-refused` */
export function pathOperators(data: string): string {
  const pieces = readPieces(data);
  const pen: Pen = { x: 0, y: 0, startX: 0, startY: 0, cubicX: 0, cubicY: 0, quadX: 0, quadY: 0 };
  const out: string[] = [];
  let at = 0;
  let command = "";
  while (at < pieces.length) {
    const piece = pieces[at];
    if (typeof piece === "string") {
      command = piece;
      at += 1;
    } else if (command === "" || command === "Z" || command === "z") refuse();
    if (out.length === 0 && command !== "M" && command !== "m") refuse();
    const count = ARGUMENTS[command.toUpperCase()] ?? 0;
    const numbers = pieces.slice(at, at + count).filter((value) => typeof value === "number");
    if (numbers.length !== count) refuse();
    at += count;
    out.push(step(pen, command, numbers));
    if (command === "M") command = "L";
    if (command === "m") command = "l";
  }
  return out.join("");
}

function readPieces(data: string): (string | number)[] {
  const pieces: (string | number)[] = [];
  const end = data.trimEnd().length;
  let at = 0;
  while (at < end) {
    PIECE.lastIndex = at;
    const match = PIECE.exec(data);
    if (match === null) refuse();
    pieces.push(match[1] ?? Number(match[2]));
    at = PIECE.lastIndex;
  }
  return pieces;
}

function step(pen: Pen, command: string, numbers: readonly number[]): string {
  const relative = command !== command.toUpperCase();
  const [dx, dy] = relative ? [pen.x, pen.y] : [0, 0];
  const n = (index: number) => numbers[index] ?? 0;
  const x = (index: number) => n(index) + dx;
  const y = (index: number) => n(index) + dy;
  switch (command.toUpperCase()) {
    case "M":
      [pen.startX, pen.startY] = [x(0), y(1)];
      rest(pen, x(0), y(1));
      return moveTo(pen.x, pen.y);
    case "L":
      return straight(pen, x(0), y(1));
    case "H":
      return straight(pen, x(0), pen.y);
    case "V":
      return straight(pen, pen.x, y(0));
    case "C":
      return cubic(pen, [x(0), y(1), x(2), y(3), x(4), y(5)]);
    case "S":
      return cubic(pen, [2 * pen.x - pen.cubicX, 2 * pen.y - pen.cubicY, x(0), y(1), x(2), y(3)]);
    case "Q":
      return quadratic(pen, [x(0), y(1), x(2), y(3)]);
    case "T":
      return quadratic(pen, [2 * pen.x - pen.quadX, 2 * pen.y - pen.quadY, x(0), y(1)]);
    case "A":
      return arc(pen, { rx: n(0), ry: n(1), turn: n(2), large: n(3) !== 0, sweep: n(4) !== 0, x: x(5), y: y(6) });
    default:
      rest(pen, pen.startX, pen.startY);
      return "h\n";
  }
}

function rest(pen: Pen, x: number, y: number): void {
  [pen.x, pen.y, pen.cubicX, pen.cubicY, pen.quadX, pen.quadY] = [x, y, x, y, x, y];
}

function straight(pen: Pen, x: number, y: number): string {
  rest(pen, x, y);
  return lineTo(x, y);
}

function cubic(pen: Pen, [x1, y1, x2, y2, x, y]: [number, number, number, number, number, number]): string {
  rest(pen, x, y);
  [pen.cubicX, pen.cubicY] = [x2, y2];
  return curveTo(x1, y1, x2, y2, x, y);
}

function quadratic(pen: Pen, [qx, qy, x, y]: [number, number, number, number]): string {
  const from = [pen.x, pen.y] as const;
  rest(pen, x, y);
  [pen.quadX, pen.quadY] = [qx, qy];
  const third = (end: number, control: number) => end + (2 / 3) * (control - end);
  return curveTo(third(from[0], qx), third(from[1], qy), third(x, qx), third(y, qy), x, y);
}

type Arc = { rx: number; ry: number; turn: number; large: boolean; sweep: boolean; x: number; y: number };

/** Endpoint to centre form, then one Bézier curve for each quarter turn at most (SVG 2, appendix B.2). */
function arc(pen: Pen, to: Arc): string {
  const [x1, y1] = [pen.x, pen.y];
  let [rx, ry] = [Math.abs(to.rx), Math.abs(to.ry)];
  if (rx === 0 || ry === 0 || (x1 === to.x && y1 === to.y)) return straight(pen, to.x, to.y);
  const [cos, sin] = [Math.cos((to.turn * Math.PI) / 180), Math.sin((to.turn * Math.PI) / 180)];
  const [hx, hy] = [(x1 - to.x) / 2, (y1 - to.y) / 2];
  const [px, py] = [cos * hx + sin * hy, cos * hy - sin * hx];
  const stretch = Math.max(1, Math.hypot(px / rx, py / ry));
  [rx, ry] = [rx * stretch, ry * stretch];
  const spread = rx ** 2 * py ** 2 + ry ** 2 * px ** 2;
  const factor = (to.large === to.sweep ? -1 : 1) * Math.sqrt(Math.max(0, (rx ** 2 * ry ** 2 - spread) / spread));
  const [ux, uy] = [(factor * rx * py) / ry, (-factor * ry * px) / rx];
  const [cx, cy] = [cos * ux - sin * uy + (x1 + to.x) / 2, sin * ux + cos * uy + (y1 + to.y) / 2];
  const start = Math.atan2((py - uy) / ry, (px - ux) / rx);
  let sweep = Math.atan2((-py - uy) / ry, (-px - ux) / rx) - start;
  if (to.sweep && sweep < 0) sweep += 2 * Math.PI;
  if (!to.sweep && sweep > 0) sweep -= 2 * Math.PI;
  const parts = Math.max(1, Math.ceil(Math.abs(sweep) / (Math.PI / 2) - 1e-9));
  const handle = (4 / 3) * Math.tan(sweep / parts / 4);
  const point = (angle: number, reach: number): [number, number] => {
    const [ex, ey] = [
      rx * (Math.cos(angle) - reach * Math.sin(angle)),
      ry * (Math.sin(angle) + reach * Math.cos(angle)),
    ];
    return [cx + cos * ex - sin * ey, cy + sin * ex + cos * ey];
  };
  const out: string[] = [];
  for (let part = 0; part < parts; part++) {
    const [from, until] = [start + (sweep * part) / parts, start + (sweep * (part + 1)) / parts];
    const end: [number, number] = part === parts - 1 ? [to.x, to.y] : point(until, 0);
    out.push(curveTo(...point(from, handle), ...point(until, -handle), ...end));
  }
  rest(pen, to.x, to.y);
  return out.join("");
}

function refuse(): never {
  throw new ArtworkError("svg-refused", "the drawing has path data that cannot be read");
}
