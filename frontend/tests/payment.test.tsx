import { screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { startShell } from "@/vestibule/tests/support/shell";
import { openApp } from "./support/app";
import { plans, receipt, shop, team } from "./support/plans";
import { refused, reply, signedIn, signedOut, stale, unreachable } from "./support/states";

const buy = () => screen.findByRole("button", { name: "Buy Team" });

describe("the payment page", () => {
  it("lists the plans when none is named", async () => {
    let answer: (value: unknown) => void = () => undefined;
    startShell(signedOut()).backend({
      "GET /plans": () => new Promise((resolve) => (answer = resolve)),
    });
    const { user, visit } = await openApp("/payment/");
    expect(screen.getByRole("status", { name: "Loading plans" })).toBeInTheDocument();
    answer(reply(200, plans));
    await screen.findByRole("heading", { name: "Team" });
    expect(screen.getByText("Free")).toBeVisible();
    expect(screen.getByText("€99.50")).toBeVisible();
    await user.click(screen.getByRole("link", { name: "Choose Team" }));
    expect(visit.current).toBe("/payment/?plan=team");
  });

  it("shows the facts to everyone, and sends to the sign-in page and back to buy", async () => {
    const shell = startShell(signedOut());
    shell.backend(shop);
    const { user, visit } = await openApp("/payment/?plan=team");
    expect(await screen.findByRole("heading", { name: "The Team plan" })).toBeVisible();
    expect(screen.getByText("€29")).toBeVisible();
    expect(screen.getByText("Team support")).toBeVisible();
    expect(screen.queryByRole("button", { name: /Buy/ })).toBeNull();
    await user.click(screen.getByRole("link", { name: "Sign in to buy" }));
    expect(visit.current).toBe("/auth/login/?next=%2Fpayment%2F%3Fplan%3Dteam");
    await shell.change(signedIn(), "login");
    expect(visit.current).toBe("/payment/?plan=team");
    expect(await buy()).toBeEnabled();
  });

  it("buys once, confirms, and shows it on the dashboard", async () => {
    const shell = startShell(signedIn());
    let answer: (value: unknown) => void = () => undefined;
    shell.backend({
      ...shop,
      "POST /plans/team/purchase": () => new Promise((resolve) => (answer = resolve)),
    });
    const { user, visit } = await openApp("/payment/?plan=team");
    await user.dblClick(await buy());
    expect(screen.getByRole("button", { name: "Buying…" })).toBeVisible();
    await waitFor(() =>
      expect(shell.requests().filter(({ method }) => method === "POST")).toHaveLength(1),
    );
    answer(reply(201, receipt));
    const heading = await screen.findByRole("heading", { name: "Team is yours" });
    await waitFor(() => expect(heading, "focus follows to what came of it").toHaveFocus());
    expect(screen.getByText("prc-1")).toBeVisible();
    await user.click(screen.getByRole("link", { name: "Go to your dashboard" }));
    expect(visit.current).toBe("/dashboard/");
    expect(await screen.findByText("Bought since the app was started.")).toBeVisible();

    await shell.change(signedIn({ user: { id: "u2", name: "Grace Hopper" } }));
    expect(
      screen.queryByText("Bought since the app was started."),
      "what one user bought is not shown to another",
    ).toBeNull();
  });

  it.each([
    ["the server is out of reach", unreachable, /cannot be reached/],
    [
      "the session has ended",
      refused("other", "Your session has ended."),
      /Your session has ended/,
    ],
    ["the session is refused", reply(401, { message: "no" }), /You stay signed in/],
    ["the server is closed", reply(503, {}), /closed for maintenance/],
    ["a gateway speaks", reply(502, {}), /gateway in front of the server/],
    ["the server fails", reply(500, {}), /The server had a problem/],
    ["the answer is not a receipt", reply(201, { paid: true }), /does not understand/],
    ["there were too many tries", reply(429, {}), /The server asks to wait/],
  ])("says that nothing was bought when %s, and lets one try again", async (_n, came, words) => {
    const shell = startShell(signedIn());
    shell.backend({
      ...shop,
      "POST /plans/team/purchase": () => {
        if ("code" in came) throw came;
        return came;
      },
    });
    const { user } = await openApp("/payment/?plan=team");
    await user.click(await buy());
    expect(await screen.findByRole("alert")).toHaveTextContent(words);
    expect(await buy()).toBeEnabled();
  });

  it.each(["nope", "../login", "a/b", "team?x=1"])(
    "says that %j is no plan, and lists those on offer",
    async (slug) => {
      const shell = startShell(signedIn());
      shell.backend(shop);
      await openApp(`/payment/?plan=${encodeURIComponent(slug)}`);
      expect(await screen.findByText(/There is no such plan/)).toBeVisible();
      expect(await screen.findByRole("link", { name: "Choose Business" })).toBeVisible();
      const asked = shell.requests().map(({ path }) => path);
      for (const path of asked) expect(["/plans", "/plans/nope"]).toContain(path);
    },
  );

  it("offers another try when the plans cannot be loaded, and makes it by itself once online", async () => {
    const shell = startShell(stale());
    const { user } = await openApp("/payment/?plan=team");
    expect(await screen.findByRole("alert")).toHaveTextContent("cannot be reached");
    await user.click(screen.getByRole("button", { name: "Try again" }));
    expect(await screen.findByRole("alert")).toHaveTextContent("cannot be reached");
    shell.backend(shop);
    await shell.change(signedIn(), "refresh");
    expect(await screen.findByRole("heading", { name: "The Team plan" })).toBeVisible();
  });

  it.each([
    ["not a list", { plans }],
    ["a plan without a price", [{ ...team, price: undefined }]],
  ])("does not break on %s", async (_name, body) => {
    startShell(signedOut()).backend({ "GET /plans": reply(200, body) });
    await openApp("/payment/");
    expect(await screen.findByRole("alert")).toHaveTextContent("does not understand");
  });

  it("shows a price in a currency that does not exist", async () => {
    startShell(signedOut()).backend({
      "GET /plans/team": reply(200, { ...team, currency: "doubloons" }),
    });
    await openApp("/payment/?plan=team");
    expect(await screen.findByText("29 doubloons")).toBeVisible();
  });
});
