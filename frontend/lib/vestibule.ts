// The instance of this app, which has one. Screens call it, and they read and write by it what the
// app keeps beside it with `perInstance`. What they read of the session comes by the hooks of
// "vestibule/react".

import { createVestibule } from "vestibule";
import type { Right } from "./rights";

declare module "vestibule" {
  interface AppTypes {
    right: Right;
  }
}

export const vestibule = createVestibule();
export const { auth, accounts, links, desktop, messages } = vestibule;
