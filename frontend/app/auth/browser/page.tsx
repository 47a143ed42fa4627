import { BrowserScreen } from "@/features/auth/browser-screen";
import { BrowserOnly } from "@/features/shell/guards";

export default function Page() {
  return (
    <BrowserOnly>
      <BrowserScreen />
    </BrowserOnly>
  );
}
