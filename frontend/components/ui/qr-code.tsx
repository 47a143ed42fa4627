"use client";

import { useEffect, useState } from "react";
import type { QrDrawing } from "./qr-drawing";

/**
 * A QR code, drawn here. It is dark on light in both themes, because not every phone reads the
 * reverse. Nothing is shown where the text is too long for one.
 */
export function QrCode({ text, label }: { text: string; label: string }) {
  const [drawn, setDrawn] = useState<{ text: string; drawing: QrDrawing | null } | null>(null);

  useEffect(() => {
    let gone = false;
    // Loaded when it is needed: few people ever see one.
    import("./qr-drawing")
      .then(({ drawQr }) => drawQr(text))
      .catch(() => null)
      .then((drawing) => {
        if (!gone) setDrawn({ text, drawing });
      });
    return () => {
      gone = true;
    };
  }, [text]);

  const drawing = drawn?.text === text ? drawn.drawing : null;
  if (drawn && !drawn.drawing) return null;
  return (
    // Takes its place before it is drawn.
    <div className="aspect-square w-full max-w-52 overflow-hidden rounded-lg bg-white">
      {drawing && (
        <svg
          role="img"
          aria-label={label}
          viewBox={`${-drawing.quiet} ${-drawing.quiet} ${drawing.side} ${drawing.side}`}
          shapeRendering="crispEdges"
          className="size-full"
        >
          <rect
            x={-drawing.quiet}
            y={-drawing.quiet}
            width={drawing.side}
            height={drawing.side}
            fill="#fff"
          />
          <path d={drawing.dark} fill="#000" />
        </svg>
      )}
    </div>
  );
}
