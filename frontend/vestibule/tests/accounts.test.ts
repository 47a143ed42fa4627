import {
  type AccountStanding,
  createVestibule,
  currentAccount,
  endedElsewhere,
  isFull,
  offersAccounts,
  WORDS,
  workspaceOf,
} from "vestibule";
import { describe, expect, it } from "vitest";
import {
  account,
  accountList,
  adas,
  bobs,
  crowd,
  cys,
  globex,
  oneAccount,
} from "./support/accounts";
import { startShell } from "./support/shell";
import { refused, SIGNED_OUT_REASONS, signedIn } from "./support/states";

async function started(list = accountList()) {
  const shell = startShell(signedIn());
  shell.accounts(list);
  const vestibule = createVestibule();
  await vestibule.accounts.start();
  return { shell, ...vestibule };
}

describe("the list of accounts", () => {
  it("is not asked for by an app that does not start it", async () => {
    const shell = startShell(signedIn());
    const { auth, accounts } = createVestibule();
    await auth.start();
    expect(shell.called("accounts")).toHaveLength(0);
    expect(accounts.get()).toEqual({ kind: "waiting" });
    expect(accounts.list()).toBeNull();
  });

  it("is read once, however often it is started", async () => {
    const { shell, accounts } = await started();
    await accounts.start();
    expect(shell.called("accounts")).toHaveLength(1);
    expect(accounts.list()?.accounts).toEqual([adas, bobs, cys]);
  });

  it("is the newest: lower and equal revisions change nothing", async () => {
    const { shell, accounts } = await started(accountList({ revision: 4 }));
    const held = accounts.list();
    let woken = 0;
    accounts.subscribe(() => {
      woken += 1;
    });
    shell.sendAccounts(accountList({ revision: 3, accounts: [] }));
    shell.sendAccounts(accountList({ revision: 4, accounts: [] }));
    expect(accounts.list()).toBe(held);
    expect(woken).toBe(0);
    shell.sendAccounts(accountList({ revision: 5, accounts: [adas] }));
    expect(accounts.list()?.accounts).toEqual([adas]);
    expect(woken).toBe(1);
  });

  it("keeps a change that comes before the answer of the first read", async () => {
    const shell = startShell(signedIn());
    let answer: (list: unknown) => void = () => undefined;
    shell.on("accounts", () => new Promise((resolve) => (answer = resolve)));
    const { accounts } = createVestibule();
    const starting = accounts.start();
    while (shell.called("accounts").length === 0) await Promise.resolve();
    shell.sendAccounts(accountList({ revision: 2, accounts: [bobs] }));
    answer(accountList({ revision: 1 }));
    await starting;
    expect(accounts.list()?.accounts).toEqual([bobs]);
  });

  it("says why it is not known, and can be started again", async () => {
    const shell = startShell(signedIn());
    const answer = shell.handler("accounts");
    shell.on("accounts", () => {
      throw refused("other", "The index cannot be read.");
    });
    const { accounts } = createVestibule();
    await accounts.start();
    expect(accounts.get()).toMatchObject({
      kind: "failed",
      error: { message: "The index cannot be read." },
    });
    shell.on("accounts", answer);
    await accounts.start();
    expect(accounts.get().kind).toBe("known");
  });

  it("is forgotten when it is stopped, and begins anew with any revision", async () => {
    const { shell, accounts } = await started(accountList({ revision: 9 }));
    accounts.stop();
    shell.sendAccounts(accountList({ revision: 10 }));
    expect(accounts.get().kind).toBe("waiting");
    shell.accounts(accountList({ revision: 1 }));
    await accounts.start();
    expect(accounts.list()?.revision).toBe(1);
  });

  it("is each instance's own", async () => {
    const { accounts } = await started();
    expect(createVestibule().accounts.list()).toBeNull();
    expect(accounts.list()).not.toBeNull();
  });
});

describe("a verb", () => {
  it("calls its command and says whether it worked", async () => {
    const { shell, accounts } = await started();
    expect(await accounts.switchTo("a2")).toEqual({ data: null, error: null });
    await accounts.add("globex");
    await accounts.remember(false);
    await accounts.remove("a3");
    await accounts.logoutAll();
    await accounts.addWorkspace("https://id.initech.example");
    await accounts.removeWorkspace("globex");
    expect(shell.calls.slice(1)).toEqual([
      { command: "switch_account", args: { account: "a2" } },
      { command: "add_account", args: { workspace: "globex" } },
      { command: "remember_account", args: { on: false } },
      { command: "remove_account", args: { account: "a3" } },
      { command: "logout_all", args: {} },
      { command: "add_workspace", args: { address: "https://id.initech.example" } },
      { command: "remove_workspace", args: { workspace: "globex" } },
    ]);
    shell.on("switch_account", () => {
      throw refused("other", "There is no such account.");
    });
    const { data, error } = await accounts.switchTo("gone");
    expect(data).toBeNull();
    expect(error?.message).toBe("There is no such account.");
  });

  it.each([" id.acme.example ", "id.acme.example:8443", "http://id.acme.example", "  "])(
    "leaves it to the plugin to understand %j",
    async (typed) => {
      const { shell, accounts } = await started();
      await accounts.lookAt(typed);
      expect(shell.called("look_at_workspace")[0]?.args).toEqual({ address: typed });
    },
  );
});

describe("what a list says", () => {
  it("is which account the window shows, and where an account is", () => {
    expect(currentAccount(accountList())).toBe(adas);
    expect(currentAccount(accountList({ current: null }))).toBeNull();
    expect(workspaceOf(accountList(), cys)).toBe(globex);
    expect(workspaceOf(accountList({ workspaces: [] }), cys)).toBeNull();
  });

  it("is whether the app offers more than one, and whether there is room", () => {
    expect(offersAccounts(oneAccount)).toBe(false);
    expect(offersAccounts(accountList({ most: 2 }))).toBe(true);
    expect(isFull(crowd(4, { most: 5 }))).toBe(false);
    expect(isFull(crowd(5, { most: 5 }))).toBe(true);
  });

  it("does not count this window's account where nobody has signed in: it goes at a switch", () => {
    const nobody = account("n", null);
    const list = { accounts: [adas, nobody], most: 2 };
    expect(isFull(accountList({ ...list, current: "n" }))).toBe(false);
    expect(isFull(accountList({ ...list, current: "a1" }))).toBe(true);
  });
});

const expired: AccountStanding = { kind: "signed_out", why: "expired" };
const withBob = (standing: AccountStanding, more = {}) =>
  accountList({ accounts: [adas, { ...bobs, standing }, cys], ...more });

describe("an ending elsewhere", () => {
  it("is told of an account that somebody was signed in to", () => {
    const ended = endedElsewhere(accountList(), withBob(expired));
    expect(ended.map(({ account, why }) => [account.id, why])).toEqual([["a2", "expired"]]);
    expect(endedElsewhere(withBob(expired), withBob(expired)), "only once").toEqual([]);
  });

  it.each<[string, ReturnType<typeof withBob>, ReturnType<typeof withBob>]>([
    ["this window's account", withBob({ kind: "fresh" }), withBob(expired, { current: "a2" })],
    ["a sign-out", accountList(), withBob({ kind: "signed_out", why: "by_user" })],
    ["an account that was never known", accountList({ accounts: [adas] }), withBob(expired)],
    ["one not known to have a session", withBob({ kind: "restoring" }), withBob(expired)],
    ["one that was removed", accountList(), accountList({ accounts: [adas] })],
  ])("is not told of %s", (_what, before, now) => {
    expect(endedElsewhere(before, now)).toEqual([]);
  });
});

describe("accounts in words", () => {
  const { messages } = createVestibule();
  const standings: AccountStanding[] = [
    { kind: "restoring" },
    { kind: "kept" },
    { kind: "fresh" },
    { kind: "stale" },
    { kind: "locked" },
    { kind: "challenged" },
    ...SIGNED_OUT_REASONS.map((why) => ({ kind: "signed_out", why }) as const),
  ];

  it("have different words for every standing", () => {
    const said = standings.map(messages.standing);
    expect(new Set(said).size).toBe(standings.length);
    expect(said.sort()).toEqual(Object.values(WORDS.standings).sort());
  });

  it("say whose session has ended, and where if there are several workspaces", () => {
    expect(messages.endedElsewhere(bobs, "expired", "Acme")).toBe(
      "Bob Hopper’s session at Acme has expired.",
    );
    expect(messages.endedElsewhere(bobs, "revoked", null)).toBe(
      "Bob Hopper’s session was ended from elsewhere.",
    );
  });

  it("put a name in as it is, whatever it holds", () => {
    const odd = account("o", "{workspace} $& {session}");
    expect(messages.endedElsewhere(odd, "expired", "Acme")).toBe(
      "{workspace} $& {session}’s session at Acme has expired.",
    );
  });

  it("are an app's own where it has some", () => {
    const { messages: german } = createVestibule({
      words: {
        standings: { stale: "Getrennt" },
        accountNames: {
          nobody: "Neues Konto",
          sessionAt: "Die Sitzung von {name} bei {workspace}",
        },
        endingsElsewhere: { expired: "{session} ist abgelaufen." },
      },
    });
    expect(german.standing({ kind: "stale" })).toBe("Getrennt");
    expect(german.standing({ kind: "fresh" })).toBe("Online");
    expect(german.accountName(account("n", null))).toBe("Neues Konto");
    expect(german.endedElsewhere(bobs, "expired", "Acme")).toBe(
      "Die Sitzung von Bob Hopper bei Acme ist abgelaufen.",
    );
  });
});
