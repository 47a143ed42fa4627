import { AddAccountScreen } from "@/features/accounts/add-account-screen";
import { AccountsOnly } from "@/features/shell/guards";

export default function Page() {
  return (
    <AccountsOnly>
      <AddAccountScreen />
    </AccountsOnly>
  );
}
