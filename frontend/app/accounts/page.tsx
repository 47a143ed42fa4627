import { AccountsScreen } from "@/features/accounts/accounts-screen";
import { AccountsOnly } from "@/features/shell/guards";

export default function Page() {
  return (
    <AccountsOnly>
      <AccountsScreen />
    </AccountsOnly>
  );
}
