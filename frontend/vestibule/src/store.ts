// A value that can be watched. Everything that an instance or an app keeps for its pages is one.

/** A value that only its owner changes. */
export type ReadonlyStore<T> = {
  /** The value that the store began with, which is also what a page shows that is rendered in advance. */
  readonly initial: T;
  get: () => T;
  /** Calls the listener after each change, until the returned function is called. */
  subscribe: (listener: () => void) => () => void;
};

export type Store<T> = ReadonlyStore<T> & {
  /** Replaces the value and tells the listeners, unless it is the same value. */
  set: (next: T) => void;
};

export function createStore<T>(initial: T): Store<T> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    initial,
    get: () => value,
    set: (next) => {
      if (Object.is(next, value)) return;
      value = next;
      // A copy, because a listener may subscribe another one.
      for (const listener of [...listeners]) listener();
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}
