import { AccountScreen } from "@/features/account/account-screen";
import { Guard } from "@/features/shell/guards";

export default function Page() {
  return (
    <Guard>
      <AccountScreen />
    </Guard>
  );
}
