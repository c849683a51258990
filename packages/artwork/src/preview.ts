import { createCanvas } from "@napi-rs/canvas";
import { getDocument, VerbosityLevel } from "pdfjs-dist/legacy/build/pdf.mjs";

export type PreviewOptions = {
  /** 1 is the front, 2 the back. */
  readonly page: 1 | 2;
  /** Dots per inch, 72 to 600; 300 is what card printers print. */
  readonly dpi?: number;
};

/**
 * A PNG of one face, rendered from the very PDF that is printed (by pdf.js), so that a preview cannot differ from the card.
 * Rejects when the bytes are not a PDF.
 */
export async function toPreviewPng(pdf: Uint8Array, { page, dpi = 300 }: PreviewOptions): Promise<Uint8Array> {
  if (!(dpi >= 72 && dpi <= 600)) throw new RangeError("a resolution of 72 to 600 dpi is required");
  // pdf.js takes the bytes over, so it gets a copy.
  const loading = getDocument({
    data: pdf.slice(),
    useSystemFonts: false,
    isEvalSupported: false,
    verbosity: VerbosityLevel.ERRORS,
  });
  try {
    const face = await (await loading.promise).getPage(page);
    const viewport = face.getViewport({ scale: dpi / 72 });
    const canvas = createCanvas(Math.round(viewport.width), Math.round(viewport.height));
    // pdf.js asks for the browser's canvas by type; on Node it draws on this one.
    await face.render({ canvas: canvas as never, viewport }).promise;
    return new Uint8Array(await canvas.encode("png"));
  } finally {
    await loading.destroy();
  }
}
