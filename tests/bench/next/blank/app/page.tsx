"use client";

import { useState } from "react";

// A page that reacts, so that the export carries what makes pages react.
export default function Page() {
  const [count, setCount] = useState(0);
  return (
    <button type="button" onClick={() => setCount(count + 1)}>
      Blank {count}
    </button>
  );
}
