import { NotFoundScreen } from "@/features/shell/error-screens";

export default function NotFound() {
  return <NotFoundScreen />;
}
