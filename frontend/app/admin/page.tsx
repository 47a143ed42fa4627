import { PeopleScreen } from "@/features/admin/people-screen";
import { Guard } from "@/features/shell/guards";

export default function Page() {
  return (
    <Guard may="people.see">
      <PeopleScreen />
    </Guard>
  );
}
