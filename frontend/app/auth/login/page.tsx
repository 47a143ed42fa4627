import { LoginScreen } from "@/features/auth/login-screen";
import { GuestOnly } from "@/features/shell/guards";

export default function Page() {
  return (
    <GuestOnly>
      <LoginScreen />
    </GuestOnly>
  );
}
