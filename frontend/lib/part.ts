"use client";

import { useLayoutEffect } from "react";
import { createStore, type ReadonlyStore } from "vestibule";
import { useStore } from "vestibule/react";

// Parts of the app that no page shows at first. They are loaded once a page has been painted, so that
// they are there before a person can want them, or at once where one is wanted sooner.

type PartState<T> = { kind: "absent" } | { kind: "loaded"; value: T } | { kind: "failed" };

export type Part<T> = ReadonlyStore<PartState<T>> & {
  /** Loads the part, or tries again where that has failed. It never rejects. */
  load: () => Promise<void>;
};

const parts: Part<unknown>[] = [];

export function createPart<T>(fetched: () => Promise<T>): Part<T> {
  const { initial, get, set, subscribe } = createStore<PartState<T>>({ kind: "absent" });
  let loading: Promise<void> | null = null;

  async function load() {
    set({ kind: "absent" });
    try {
      set({ kind: "loaded", value: await fetched() });
    } catch {
      loading = null;
      set({ kind: "failed" });
    }
  }

  const part = {
    initial,
    get,
    subscribe,
    load: () => {
      loading ??= load();
      return loading;
    },
  };
  parts.push(part);
  return part;
}

/** Whether a part is there. */
export function usePartState<T>(part: Part<T>): PartState<T> {
  return useStore(part);
}

/** The same of a part that is wanted: it is loaded where it is not there yet. */
export function usePart<T>(part: Part<T>): PartState<T> {
  useLayoutEffect(() => void part.load(), [part]);
  return useStore(part);
}

/** A hidden window paints nothing. */
const UNPAINTED_MS = 500;

/** Loads all parts once a page is painted. */
export function usePartsAfterPaint(isShown: boolean): void {
  useLayoutEffect(() => {
    if (!isShown) return;
    const load = () => {
      for (const part of parts) void part.load();
    };
    const frame = requestAnimationFrame(() => setTimeout(load));
    const timer = setTimeout(load, UNPAINTED_MS);
    return () => {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
    };
  }, [isShown]);
}
