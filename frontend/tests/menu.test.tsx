import { act, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { Menu, MenuItem } from "@/components/ui/menu";
import { MenuButton } from "@/components/ui/menu-button";
import { OnDemand } from "@/components/ui/on-demand";
import { createPart } from "@/lib/part";

/** A button whose menu is loaded when the test says so. */
function openPage() {
  let arrive: (loaded: object) => void = () => undefined;
  const part = createPart(() => new Promise<object>((resolve) => (arrive = resolve)));
  const chosen = vi.fn();
  render(
    <>
      <MenuButton
        menu={(menu) => (
          <OnDemand part={part}>
            {() => (
              <Menu menu={menu}>
                <MenuItem onSelect={chosen}>First</MenuItem>
                <MenuItem>Second</MenuItem>
              </Menu>
            )}
          </OnDemand>
        )}
      >
        Things
      </MenuButton>
      <input aria-label="Elsewhere" />
    </>,
  );
  return {
    user: userEvent.setup(),
    button: screen.getByRole("button", { name: "Things" }),
    load: () => act(async () => arrive({})),
    chosen,
  };
}

const item = (name: string) => screen.getByRole("menuitem", { name });

describe("a menu", () => {
  it.each(["{Enter}", " ", "{ArrowDown}"])(
    "that is loaded after %j has asked for it opens with the focus in its first item",
    async (key) => {
      const { user, button, load, chosen } = openPage();
      button.focus();
      await user.keyboard(key);
      expect(button).toHaveAttribute("aria-expanded", "true");
      expect(screen.queryByRole("menu")).toBeNull();
      await load();
      expect(item("First")).toHaveFocus();
      expect(screen.getByRole("menu", { name: "Things" })).toHaveAttribute(
        "id",
        button.getAttribute("aria-controls"),
      );
      await user.keyboard("{ArrowDown}");
      expect(item("Second")).toHaveFocus();
      await user.keyboard("{Home}{Enter}");
      expect(chosen).toHaveBeenCalledOnce();
      expect(screen.queryByRole("menu")).toBeNull();
      await waitFor(() => expect(button).toHaveFocus());
    },
  );

  it("that a pointer opens has the focus itself, and a second press closes it", async () => {
    const { user, button, load } = openPage();
    await user.click(button);
    await load();
    expect(screen.getByRole("menu")).toHaveFocus();
    await user.click(button);
    expect(screen.queryByRole("menu")).toBeNull();
    expect(button).toHaveAttribute("aria-expanded", "false");
    await user.click(button);
    await user.keyboard("{ArrowDown}{ArrowDown}");
    expect(item("Second")).toHaveFocus();
  });

  it("closes by Escape, with the focus on its button, and by what is outside, with the focus there", async () => {
    const { user, button, load } = openPage();
    button.focus();
    await user.keyboard("{Enter}");
    await load();
    await user.keyboard("{Escape}");
    await waitFor(() => expect(button).toHaveFocus());
    expect(button).toHaveAttribute("data-state", "closed");
    await user.keyboard("{Enter}");
    await user.click(screen.getByLabelText("Elsewhere"));
    expect(screen.queryByRole("menu")).toBeNull();
    expect(screen.getByLabelText("Elsewhere")).toHaveFocus();
  });

  it("that is not there yet is closed again by a second press", async () => {
    const { user, button, load } = openPage();
    button.focus();
    await user.keyboard("{Enter}{Enter}");
    await load();
    expect(screen.queryByRole("menu")).toBeNull();
    expect(button).toHaveFocus();
  });

  it("is not opened by another button of the mouse", async () => {
    const { user, button, load } = openPage();
    await user.pointer({ keys: "[MouseRight]", target: button });
    await load();
    expect(button).toHaveAttribute("aria-expanded", "false");
  });
});
