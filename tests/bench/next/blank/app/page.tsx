"use client";

import { useState } from "react";

// An interactive page, so that the export contains React's client code.
export default function Page() {
  const [count, setCount] = useState(0);
  return (
    <button type="button" onClick={() => setCount(count + 1)}>
      Blank {count}
    </button>
  );
}
