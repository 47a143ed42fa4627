import { NotFoundScreen } from "@/features/shell/trouble";

export default function NotFound() {
  return <NotFoundScreen />;
}
