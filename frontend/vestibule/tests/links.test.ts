import { createVestibule, type LinkSubject } from "vestibule";
import { describe, expect, it } from "vitest";
import { startShell } from "./support/shell";
import { refused, signedIn } from "./support/states";

const join = (host: string): LinkSubject => ({ kind: "join", address: `https://${host}` });

describe("what links ask", () => {
  it("is not asked for by an app that does not start it", async () => {
    const shell = startShell(signedIn());
    const { auth, links } = createVestibule();
    await auth.start();
    shell.linkAsks(join("a.example"));
    expect(shell.called("link_notices")).toHaveLength(0);
    expect(links.get()).toBeNull();
  });

  it("has waited for the page, and is shown one after the other", async () => {
    const shell = startShell(signedIn());
    shell.linkAsks(join("a.example"));
    shell.linkAsks(join("b.example"));
    const { links } = createVestibule();
    await links.start();
    await links.start();
    expect(shell.called("link_notices")).toHaveLength(1);
    expect(links.get()?.about).toEqual(join("a.example"));
    shell.linkAsks(join("c.example"));
    expect(links.get()?.about, "it stays until it is closed").toEqual(join("a.example"));
    for (const host of ["b.example", "c.example"]) {
      links.close();
      expect(links.get()?.about).toEqual(join(host));
    }
    links.close();
    expect(links.get()).toBeNull();
    expect(shell.called("take_link_notice").map(({ args }) => args.id)).toEqual([1, 2, 3]);
  });

  it("is shown once, also where a value that still has it comes late", async () => {
    const shell = startShell(signedIn());
    const { links } = createVestibule();
    await links.start();
    shell.linkAsks(join("a.example"));
    links.close();
    const late = { id: 1, about: join("a.example") };
    shell.sendLinks({ revision: 7, waiting: [late] });
    expect(links.get()).toBeNull();
    shell.sendLinks({ revision: 8, waiting: [late, { id: 2, about: join("b.example") }] });
    expect(links.get()?.about).toEqual(join("b.example"));
  });

  it("waits for the next page where this one has not shown it", async () => {
    const shell = startShell(signedIn());
    const first = createVestibule();
    await first.links.start();
    shell.linkAsks(join("a.example"));
    shell.linkAsks(join("b.example"));
    first.links.stop();
    const next = createVestibule();
    await next.links.start();
    expect(next.links.get()?.about).toEqual(join("b.example"));
  });

  it("is nothing where the window may not ask", async () => {
    const shell = startShell(signedIn());
    shell.on("link_notices", () => {
      throw refused("other", "not allowed");
    });
    const { links } = createVestibule();
    await links.start();
    expect(links.get()).toBeNull();
  });
});

describe("a pasted link", () => {
  it("is handed to the plugin as it is, and says what it is for", async () => {
    const shell = startShell(signedIn());
    const { auth } = createVestibule();
    shell.on("open_link", () => join("a.example"));
    const opened = await auth.openLink(" app:/join?workspace=a.example ");
    expect(opened).toEqual({ data: join("a.example"), error: null });
    expect(shell.called("open_link")[0]?.args.link).toBe(" app:/join?workspace=a.example ");
    const error = refused("other", "This link is not one that App knows.");
    shell.on("open_link", () => {
      throw error;
    });
    expect(await auth.openLink("x")).toEqual({ data: null, error });
  });
});
