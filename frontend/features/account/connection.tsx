"use client";

import { useEffect, useRef, useState } from "react";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Card, Fact, Facts } from "@/components/ui/card";
import { Segmented } from "@/components/ui/segmented";
import { bitRate, megabytes } from "@/lib/format";
import { messages } from "@/lib/vestibule";
import { type Direction, type Moved, measure, type Outcome } from "./speed";

type Size = "quick" | "thorough";
const BYTES: Record<Size, number> = { quick: 2_000_000, thorough: 100_000_000 };
const DOING: Record<Direction, string> = { down: "Downloading", up: "Uploading" };

type State =
  | { status: "idle" }
  | { status: "running"; moved: Moved }
  | { status: "stopped" }
  | { status: "over"; outcome: Outcome };

/** Measures how fast data goes to the server and back, with bytes that have no meaning. */
export function Connection() {
  const [size, setSize] = useState<Size>("quick");
  const [state, setState] = useState<State>({ status: "idle" });
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);

  async function start() {
    const controller = new AbortController();
    running.current = controller;
    const of = BYTES[size];
    setState({ status: "running", moved: { direction: "down", bytes: 0, of } });
    try {
      const outcome = await measure(of, controller.signal, (moved) =>
        setState({ status: "running", moved }),
      );
      setState({ status: "over", outcome });
    } catch {
      // `measure` rejects only where its signal was aborted.
      setState({ status: "stopped" });
    }
  }

  return (
    <Card title="Connection" description="How fast data goes between this computer and the server.">
      {state.status === "running" ? (
        <Running moved={state.moved} onCancel={() => running.current?.abort()} />
      ) : (
        <>
          <Result state={state} />
          <div className="flex flex-wrap items-center gap-3">
            <Segmented<Size>
              label="Size of the test"
              value={size}
              onChange={setSize}
              options={[
                { value: "quick", label: "Quick" },
                { value: "thorough", label: "Thorough" },
              ]}
            />
            <Button look="secondary" size="sm" onClick={() => void start()}>
              Test connection
            </Button>
          </div>
        </>
      )}
    </Card>
  );
}

function Running({ moved, onCancel }: { moved: Moved; onCancel: () => void }) {
  const words = `${DOING[moved.direction]} ${megabytes(moved.bytes)} of ${megabytes(moved.of)}`;
  return (
    <div className="flex flex-wrap items-center justify-between gap-3">
      <div className="min-w-0 flex-1">
        <p className="text-sm tabular-nums">{words}</p>
        <progress
          aria-label="Connection test"
          className="mt-1.5 block h-1.5 w-full accent-accent"
          value={moved.bytes}
          max={moved.of}
        />
      </div>
      <Button look="secondary" size="sm" onClick={onCancel}>
        Cancel the test
      </Button>
    </div>
  );
}

function Result({ state }: { state: Exclude<State, { status: "running" }> }) {
  if (state.status === "idle") return null;
  if (state.status === "stopped") return <Alert className="mb-4">The test was stopped.</Alert>;
  const { outcome } = state;
  if ("missing" in outcome) {
    return <Alert className="mb-4">This server offers no connection test.</Alert>;
  }
  if ("failure" in outcome) {
    return (
      <Alert tone="danger" className="mb-4">
        {messages.describe(outcome.failure)}
      </Alert>
    );
  }
  return (
    <div role="status" className="mb-4">
      <Facts>
        <Fact name="Download">{bitRate(outcome.speeds.down)}</Fact>
        <Fact name="Upload">{bitRate(outcome.speeds.up)}</Fact>
      </Facts>
    </div>
  );
}
