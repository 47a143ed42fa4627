import { createStore } from "vestibule";
import { describe, expect, it, vi } from "vitest";

describe("a store", () => {
  it("tells its listeners of each change, and of nothing else", () => {
    const store = createStore(0);
    const listener = vi.fn();
    store.subscribe(listener);
    store.set(0);
    expect(listener, "the same value is no change").not.toHaveBeenCalled();
    store.set(1);
    expect(listener).toHaveBeenCalledOnce();
    expect([store.initial, store.get()]).toEqual([0, 1]);
  });

  it("lets a listener leave and join while others are told", () => {
    const store = createStore("a");
    const late = vi.fn();
    const leave = store.subscribe(() => {
      leave();
      store.subscribe(late);
    });
    const other = vi.fn();
    store.subscribe(other);
    store.set("b");
    expect(other, "it is not skipped").toHaveBeenCalledOnce();
    expect(late, "it joined after the change").not.toHaveBeenCalled();
    store.set("c");
    expect(late).toHaveBeenCalledOnce();
  });
});
