import { PaymentScreen } from "@/features/payment/payment-screen";

export default function Page() {
  return <PaymentScreen />;
}
