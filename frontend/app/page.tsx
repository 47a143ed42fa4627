import { HomeScreen } from "@/features/home/home-screen";
import { OnlyAt } from "@/features/shell/only-at";

export default function Page() {
  return (
    <OnlyAt path="/">
      <HomeScreen />
    </OnlyAt>
  );
}
