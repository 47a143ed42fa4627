// A stand-in for the shell: it answers commands over Tauri's IPC, and sends the changes of the session,
// of the list of accounts and of link notices over the channels that the page has opened. All code of the page is the
// real code.

import type { Channel } from "@tauri-apps/api/core";
import { mockIPC } from "@tauri-apps/api/mocks";
import { act } from "@testing-library/react";
import type {
  AccountList,
  BackendFeatures,
  Cause,
  FetchReply,
  FetchRequest,
  LinkNotices,
  LinkSubject,
  SessionChanged,
  SessionState,
} from "vestibule";
import { oneAccount } from "./accounts";
import { everything, reply, unreachable } from "./states";

type Handler = (args: Record<string, unknown>, headers: Headers) => unknown;
type Call = { command: string; args: Record<string, unknown> };

export type Shell = ReturnType<typeof startShell>;

/** Starts a shell whose backend offers everything, except what `offers` turns off. */
export function startShell(initial: SessionState, offers: Partial<BackendFeatures> = {}) {
  let revision = 0;
  let state = initial;
  const calls: Call[] = [];
  let headers = new Headers();
  const channels: Channel<SessionChanged>[] = [];
  const accountChannels: Channel<AccountList>[] = [];
  let accounts = oneAccount;
  const linkChannels: Channel<LinkNotices>[] = [];
  let links: LinkNotices = { revision: 0, waiting: [] };
  let linkCount = 0;

  const snapshot = (cause: Cause): SessionChanged => ({
    workspace: "default",
    revision,
    cause,
    state,
    offers: { ...everything, ...offers },
  });

  const handlers: Record<string, Handler> = {
    session: () => snapshot("start"),
    accounts: () => accounts,
    switch_account: () => null,
    add_account: () => null,
    remember_account: () => null,
    remove_account: () => null,
    logout_all: () => null,
    add_workspace: () => null,
    remove_workspace: () => null,
    link_notices: () => links,
    take_link_notice: ({ id }) => {
      const waiting = links.waiting.filter((notice) => notice.id !== id);
      links = { revision: links.revision + 1, waiting };
      return null;
    },
    window_ready: () => null,
    new_window: () => null,
    refresh: () => null,
    sessions: () => ({ sessions: [], leftOut: 0 }),
    end_session: () => null,
    end_other_sessions: () => null,
    logout: () => {
      change({ status: "signed_out", why: "by_user", storage: "ok", may: [] }, "logout");
      return { success: true };
    },
    cancel_otp: () => {
      change({ status: "signed_out", why: "never", storage: "ok", may: [] }, "challenge");
      return null;
    },
    open_browser_again: () => null,
    copy_browser_address: () => null,
    cancel_browser_sign_in: () => {
      change({ status: "signed_out", why: "never", storage: "ok", may: [] }, "browser");
      return null;
    },
    theme: () => "system",
    set_theme: () => null,
    app_info: () => ({
      product: "Vestibule",
      version: "1.2.3",
      development: false,
      workspace: "default",
      origin: "https://api.example.com",
      reports: null,
      policy: null,
    }),
    backend_fetch: () => Promise.reject(unreachable),
    backend_cancel: () => null,
  };

  mockIPC((name, payload) => {
    // A command of the plugin goes by its own name here.
    const command = name.replace("plugin:vestibule|", "");
    const args = (payload ?? {}) as Record<string, unknown>;
    calls.push({ command, args });
    if (command === "session" && args.changes)
      channels.push(args.changes as Channel<SessionChanged>);
    if (command === "accounts") accountChannels.push(args.changes as Channel<AccountList>);
    if (command === "link_notices") linkChannels.push(args.changes as Channel<LinkNotices>);
    const handler = handlers[command];
    if (!handler) throw `Command ${command} not found`;
    return handler(args, headers);
  });
  // The mock does not pass headers on to the handlers.
  const internals = (window as unknown as { __TAURI_INTERNALS__: { invoke: Invoke } })
    .__TAURI_INTERNALS__;
  const invoke = internals.invoke;
  internals.invoke = (command, args, options) => {
    headers = new Headers((options as { headers?: HeadersInit } | undefined)?.headers);
    return invoke(command, args, options);
  };

  /** Sends any snapshot, whatever its revision. */
  function send(changed: SessionChanged) {
    for (const channel of channels) channel.onmessage(changed);
  }

  /** Changes the state as the shell does: the revision grows by one, and the change is sent. */
  function change(next: SessionState, cause: Cause = "refresh") {
    state = next;
    revision += 1;
    send(snapshot(cause));
  }

  /** Sends any list of accounts, whatever its revision. */
  function sendAccounts(list: AccountList) {
    for (const channel of accountChannels) channel.onmessage(list);
  }

  /** A link that was opened outside the app asks this: it waits, and the page is told. */
  function linkAsks(about: LinkSubject) {
    linkCount += 1;
    const waiting = [...links.waiting, { id: linkCount, about }];
    links = { revision: links.revision + 1, waiting };
    for (const channel of linkChannels) channel.onmessage(links);
  }

  return {
    calls,
    channels,
    send,
    /** Sets the list of accounts that a page finds when it starts. */
    accounts: (list: AccountList) => {
      accounts = list;
    },
    sendAccounts,
    linkAsks,
    /** Sends any notices of links, whatever their revision. */
    sendLinks: (notices: LinkNotices) => {
      for (const channel of linkChannels) channel.onmessage(notices);
    },
    /** Changes the list of accounts inside `act`: the revision grows by one, and the list is sent. */
    changeAccounts: (next: Partial<AccountList>) =>
      act(async () => {
        accounts = { ...accounts, ...next, revision: accounts.revision + 1 };
        sendAccounts(accounts);
      }),
    /** Changes the state inside `act`, so that React has rendered before the test continues. */
    change: (next: SessionState, cause?: Cause) => act(async () => change(next, cause)),
    changeNow: change,
    /** The current handler of a command. */
    handler: (command: string): Handler => handlers[command] ?? (() => null),
    on: (command: string, handler: Handler) => {
      handlers[command] = handler;
    },
    /** Sets the answers of the backend by `METHOD /path`. */
    backend: (routes: Record<string, FetchReply | ((request: FetchRequest) => unknown)>) => {
      handlers.backend_fetch = ({ request }) => {
        const asked = request as FetchRequest;
        const route = routes[`${asked.method} ${asked.path}`];
        if (!route) return reply(404, { message: "no such path" });
        return typeof route === "function" ? route(asked) : route;
      };
    },
    called: (command: string) => calls.filter((call) => call.command === command),
    requests: () =>
      calls
        .filter((call) => call.command === "backend_fetch")
        .map(({ args }) => args.request as FetchRequest),
  };
}

type Invoke = (command: string, args?: unknown, options?: unknown) => Promise<unknown>;
