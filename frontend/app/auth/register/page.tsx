import { RegisterScreen } from "@/features/auth/register-screen";
import { GuestOnly } from "@/features/shell/guards";

export default function Page() {
  return (
    <GuestOnly>
      <RegisterScreen />
    </GuestOnly>
  );
}
