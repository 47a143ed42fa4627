"use client";

import { type ComponentType, createContext, useContext } from "react";

/** Where the shell shows accounts. What is shown there comes from the feature that knows them. */
export type AccountParts = {
  /** In the user's menu. `onLeave` is called where the focus goes elsewhere than to the menu's button. */
  MenuItems: ComponentType<{ onLeave: () => void }>;
  /** A button with a menu, where there is no user's menu. */
  MenuButton: ComponentType;
  /** In place of every page of a window that has no account. */
  Chooser: ComponentType;
  /** Over every page. */
  Layer: ComponentType;
};

const nothing = () => null;

/** An app for one account has none of it. */
export const AccountPartsContext = createContext<AccountParts>({
  MenuItems: nothing,
  MenuButton: nothing,
  Chooser: nothing,
  Layer: nothing,
});

export const useAccountParts = () => useContext(AccountPartsContext);
