// The measurements inside a page, which a test puts there: the package's own sources, called as a
// page calls them. A page's clock shows whole milliseconds, so faster calls are timed in batches.

import { createElement, useReducer } from "../../../../frontend/node_modules/react";
import { flushSync } from "../../../../frontend/node_modules/react-dom";
import { createRoot } from "../../../../frontend/node_modules/react-dom/client";
import { createBetterAuthClient } from "../../../../frontend/vestibule/src/better-auth/index.ts";
import { createVestibule } from "../../../../frontend/vestibule/src/index.ts";
import { commands } from "../../../../frontend/vestibule/src/ipc/commands.ts";
import { callHttp } from "../../../../frontend/vestibule/src/ipc/ipc.ts";
import {
  useSession as useSessionHook,
  VestibuleProvider,
} from "../../../../frontend/vestibule/src/react/index.tsx";

const vestibule = createVestibule();
const { auth } = vestibule;
const client = createBetterAuthClient(vestibule);

/** The mean of each of `batches` batches of `count` calls, one after the other. */
async function batched(batches: number, count: number, work: () => unknown): Promise<number[]> {
  const means: number[] = [];
  for (let batch = 0; batch < batches; batch++) {
    const begun = performance.now();
    for (let nth = 0; nth < count; nth++) await work();
    means.push((performance.now() - begun) / count);
  }
  return means;
}

/** Waits until this page's copy of the sources knows the session. */
export async function ready(): Promise<string> {
  await auth.start();
  const read = await auth.getSession();
  return read?.user.email ?? "";
}

/** `auth.getSession()`. */
export function getSession(batches: number, count: number): Promise<number[]> {
  return batched(batches, count, () => auth.getSession());
}

/** The command that reads the snapshot; a page calls it only once. */
export function command(batches: number, count: number): Promise<number[]> {
  return batched(batches, count, () => commands.session());
}

/** A pause by a timer: the control of these measurements. */
export function pause(batches: number, count: number, ms: number): Promise<number[]> {
  return batched(batches, count, () => new Promise((resolve) => setTimeout(resolve, ms)));
}

/** A command that does nothing: it cancels an exchange that does not exist. */
export function nothing(batches: number, count: number): Promise<number[]> {
  return batched(batches, count, () => commands.backendCancel(0));
}

/**
 * `useSession()` in a component that renders again: how much longer a render with `hooks`
 * calls of it takes than one without, divided by the number of calls.
 */
export function useSession(batches: number, renders: number, hooks: number): number[] {
  const many = component(hooks);
  const none = component(0);
  const means: number[] = [];
  for (let batch = 0; batch < batches; batch++) {
    const more = many.render(renders) - none.render(renders);
    means.push(more / (renders * hooks));
  }
  many.end();
  none.end();
  return means;
}

/** Better Auth's refetch of the session, by the client that the package makes. */
export async function refetch(batches: number, count: number): Promise<number[]> {
  const query = client.$store.atoms.session?.get() as Query;
  return batched(batches, count, () => query.refetch());
}

type Query = { refetch: () => unknown };

function component(hooks: number) {
  let again = () => {};
  function Reader() {
    const [, force] = useReducer((count: number) => count + 1, 0);
    again = force;
    // The number is the same in each render, as the rules of hooks require.
    for (let nth = 0; nth < hooks; nth++) useSessionHook();
    return null;
  }
  const root = createRoot(document.createElement("div"));
  const reader = createElement(Reader);
  flushSync(() => root.render(createElement(VestibuleProvider, { vestibule, children: reader })));
  return {
    render: (times: number) => {
      const begun = performance.now();
      for (let nth = 0; nth < times; nth++) flushSync(again);
      return performance.now() - begun;
    },
    end: () => root.unmount(),
  };
}

/** `auth.fetch`; the body is read to its end and dropped. */
export function authFetch(path: string, size: number, batches: number, count: number) {
  return batched(batches, count, async () => expect(size, await auth.fetch(path)));
}

async function expect(size: number, response: Response): Promise<void> {
  if (!response.ok || !response.body) throw new Error(`the backend answered ${response.status}`);
  let got = 0;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    got += value.byteLength;
  }
  if (got !== size) throw new Error(`${got} of ${size} bytes came`);
}

type Head = { status: number; rid: number };

/**
 * The same with `tauri-plugin-http`: its commands, in the order in which its own `fetch` calls
 * them.
 */
export function pluginFetch(url: string, size: number, batches: number, count: number) {
  return batched(batches, count, async () => {
    const clientConfig = { method: "GET", url, headers: [] };
    const asked = await callHttp<number>("fetch", { clientConfig });
    const { status, rid } = await callHttp<Head>("fetch_send", { rid: asked });
    if (status !== 200) throw new Error(`the backend answered ${status}`);
    let got = 0;
    // The last byte of a piece tells whether it is the last one.
    for (let last = 0; last !== 1; ) {
      const piece = new Uint8Array(await callHttp<ArrayBuffer>("fetch_read_body", { rid }));
      last = piece.at(-1) ?? 1;
      got += piece.byteLength - 1;
    }
    if (got !== size) throw new Error(`${got} of ${size} bytes came`);
  });
}
