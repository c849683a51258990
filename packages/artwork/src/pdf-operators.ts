/** PDF content operators (ISO 32000-2, annex A) as text; numbers are rounded alike everywhere, so that equal input gives equal bytes. */
export const MM = 72 / 25.4;

export const num = (value: number): string => decimal(value, 3);

function decimal(value: number, places: number): string {
  if (!Number.isFinite(value)) throw new RangeError("a finite number is required");
  const text = value.toFixed(places).replace(/\.?0+$/, "");
  return text === "-0" ? "0" : text;
}

const nums = (values: readonly number[]) => values.map(num).join(" ");

export const moveTo = (x: number, y: number): string => `${nums([x, y])} m\n`;
export const lineTo = (x: number, y: number): string => `${nums([x, y])} l\n`;
export const curveTo = (...points: [number, number, number, number, number, number]): string => `${nums(points)} c\n`;
/** Six decimals, since three are too coarse for a turn or a small scale. */
export const concat = (...matrix: [number, number, number, number, number, number]): string =>
  `${matrix.map((value) => decimal(value, 6)).join(" ")} cm\n`;

export type Box = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };

const ROUND = 0.5522847498;

/** A rectangle, with round corners where a radius is given. Drawn in a space whose y grows downwards or upwards alike. */
export function boxPath({ x, y, width, height }: Box, radius = 0): string {
  const r = Math.min(radius, width / 2, height / 2);
  if (r <= 0) return `${nums([x, y, width, height])} re\n`;
  return roundPath({ x, y, width, height }, r, r);
}

export function ellipsePath(cx: number, cy: number, rx: number, ry: number): string {
  return roundPath({ x: cx - rx, y: cy - ry, width: 2 * rx, height: 2 * ry }, rx, ry);
}

function roundPath({ x, y, width, height }: Box, rx: number, ry: number): string {
  const [right, far] = [x + width, y + height];
  const [kx, ky] = [rx * (1 - ROUND), ry * (1 - ROUND)];
  return [
    moveTo(x + rx, y),
    lineTo(right - rx, y),
    curveTo(right - kx, y, right, y + ky, right, y + ry),
    lineTo(right, far - ry),
    curveTo(right, far - ky, right - kx, far, right - rx, far),
    lineTo(x + rx, far),
    curveTo(x + kx, far, x, far - ky, x, far - ry),
    lineTo(x, y + ry),
    curveTo(x, y + ky, x + kx, y, x + rx, y),
    "h\n",
  ].join("");
}

/** `#rrggbb` or `#rgb` as an RGB colour operator: `rg` fills, `RG` strokes. */
export function colour(hex: string, operator: "rg" | "RG"): string {
  const full = hex.length === 4 ? [...hex.slice(1)].map((digit) => digit + digit).join("") : hex.slice(1);
  const parts = [0, 2, 4].map((at) => Number.parseInt(full.slice(at, at + 2), 16) / 255);
  return `${nums(parts)} ${operator}\n`;
}
