import { act, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { OnDemand } from "@/components/ui/on-demand";
import { createPart } from "@/lib/part";
import { startShell } from "@/vestibule/tests/support/shell";
import { openApp } from "./support/app";
import { restoring, signedOut } from "./support/states";

const failure = () => screen.queryByRole("alert");

/** A part whose loads are answered by hand. */
function partByHand() {
  const answers: {
    resolve: (loaded: { text: string }) => void;
    reject: (cause: unknown) => void;
  }[] = [];
  const part = createPart(
    () => new Promise<{ text: string }>((resolve, reject) => answers.push({ resolve, reject })),
  );
  return { part, answers };
}

describe("a part that is loaded on demand", () => {
  it("is loaded once, where it is shown first, and shown at once from then on", async () => {
    const { part, answers } = partByHand();
    const page = (
      <>
        <OnDemand part={part}>{({ text }) => <p>{text}</p>}</OnDemand>
        <OnDemand part={part}>{({ text }) => <p>{text} again</p>}</OnDemand>
      </>
    );
    const first = render(page);
    expect(first.container).toBeEmptyDOMElement();
    await act(async () => answers[0]?.resolve({ text: "here" }));
    expect(first.container).toHaveTextContent("herehere again");
    first.unmount();
    expect(render(page).container).toHaveTextContent("herehere again");
    expect(answers).toHaveLength(1);
  });

  it("says in words that it could not be loaded, and is there after another try", async () => {
    const { part, answers } = partByHand();
    render(<OnDemand part={part}>{({ text }) => <p>{text}</p>}</OnDemand>);
    await act(async () => answers[0]?.reject(new Error("no such file")));
    expect(failure()).toHaveTextContent("A part of the app could not be loaded");
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect(failure(), "it is tried again").toBeNull();
    await act(async () => answers[1]?.resolve({ text: "here" }));
    expect(screen.getByText("here")).toBeVisible();
  });

  it("is loaded once a page is shown, before anybody asks for it, and not sooner", async () => {
    const { part, answers } = partByHand();
    const shell = startShell(restoring());
    await openApp("/");
    await act(async () => void (await new Promise(requestAnimationFrame)));
    expect(answers, "nothing is painted yet").toHaveLength(0);
    await shell.change(signedOut());
    await waitFor(() => expect(answers).toHaveLength(1));
    await act(async () => answers[0]?.reject(undefined));
    expect(failure(), "nobody has asked for it").toBeNull();
    render(<OnDemand part={part}>{({ text }) => <p>{text}</p>}</OnDemand>);
    await act(async () => answers[1]?.resolve({ text: "here" }));
    expect(screen.getByText("here")).toBeVisible();
  });
});

describe("a message in the corner", () => {
  /** The messages as they are in a page that has just been loaded, whose first `failures` loads fail. */
  async function loadedAnew(failures: number) {
    vi.resetModules();
    let loads = 0;
    vi.doMock("@/components/ui/toasts", async (original) => {
      loads += 1;
      if (loads <= failures) throw new Error("no such file");
      return await original();
    });
    const { toast } = await import("@/components/ui/toast");
    const { Toaster } = await import("@/components/ui/toaster");
    render(<Toaster />);
    return toast;
  }

  it("waits for what shows it", async () => {
    const toast = await loadedAnew(0);
    toast("You have signed out.");
    toast.error("That failed.");
    expect(await screen.findByText("You have signed out.")).toBeInTheDocument();
    expect(await screen.findByText("That failed.")).toBeInTheDocument();
    toast.dismiss();
  });

  it("is shown after another try where that could not be loaded", async () => {
    const toast = await loadedAnew(1);
    await act(async () => toast("You have signed out."));
    await waitFor(() => expect(failure()).toHaveTextContent("could not be loaded"));
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect(await screen.findByText("You have signed out.")).toBeInTheDocument();
    toast.dismiss();
  });

  it("is not shown later where it was taken away meanwhile", async () => {
    const toast = await loadedAnew(0);
    toast("Of somebody else's session.");
    toast.dismiss();
    toast("Of this session.");
    expect(await screen.findByText("Of this session.")).toBeInTheDocument();
    expect(screen.queryByText("Of somebody else's session.")).toBeNull();
    toast.dismiss();
  });
});
