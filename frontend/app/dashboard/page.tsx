import { DashboardScreen } from "@/features/dashboard/dashboard-screen";
import { Guard } from "@/features/shell/guards";

export default function Page() {
  return (
    <Guard>
      <DashboardScreen />
    </Guard>
  );
}
