import { generate } from "lean-qr";

/** Four modules of light on each side, as ISO/IEC 18004 wants it. */
const QUIET = 4;

export type QrDrawing = {
  /** How many light modules are on each side. The first module is at 0, 0, and each has the size 1. */
  quiet: number;
  /** How many modules there are in a row, with the light ones on its sides. */
  side: number;
  /** The dark modules as a path: a rectangle for each run of them in a row. */
  dark: string;
};

/** Draws a text as a QR code. Throws where the text is too long for one. */
export function drawQr(text: string): QrDrawing {
  const code = generate(text);
  let dark = "";
  for (let y = 0; y < code.size; y++) {
    for (let x = 0; x < code.size; x++) {
      const start = x;
      while (code.get(x, y)) x++;
      if (x > start) dark += `M${start} ${y}h${x - start}v1H${start}z`;
    }
  }
  return { quiet: QUIET, side: code.size + 2 * QUIET, dark };
}
