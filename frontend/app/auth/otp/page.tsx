import { OtpScreen } from "@/features/auth/otp-screen";
import { ChallengeOnly } from "@/features/shell/guards";

export default function Page() {
  return (
    <ChallengeOnly>
      <OtpScreen />
    </ChallengeOnly>
  );
}
