import "@testing-library/jest-dom/vitest";
import { clearMocks } from "@tauri-apps/api/mocks";
import { cleanup } from "@testing-library/react";
import { afterEach, vi } from "vitest";
import { toast } from "@/components/ui/toast";
import { cancelReloading } from "@/features/accounts/reloading";
import { setSearchOpen } from "@/features/accounts/search-dialog";
import { clearBrowserAttempt } from "@/features/auth/browser-attempt";
import { leaveNotice } from "@/features/auth/notice";
import { clearWaits } from "@/features/auth/retry-waits";
import { vestibule } from "@/lib/vestibule";

// Functions that the components need and jsdom does not have.
class Observer {
  observe() {}
  unobserve() {}
  disconnect() {}
}
vi.stubGlobal("ResizeObserver", Observer);
// Testing Library recognises fake timers only by this global name, whichever library made them.
vi.stubGlobal("jest", { advanceTimersByTime: (ms: number) => vi.advanceTimersByTime(ms) });
document.elementFromPoint ??= () => null;
Element.prototype.hasPointerCapture ??= () => false;
Element.prototype.setPointerCapture ??= () => undefined;
Element.prototype.scrollIntoView ??= () => undefined;
window.matchMedia ??= (query: string) =>
  ({
    matches: false,
    media: query,
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
  }) as unknown as MediaQueryList;

afterEach(() => {
  cleanup();
  toast.dismiss();
  leaveNotice(null);
  clearWaits();
  cancelReloading();
  setSearchOpen(false);
  vestibule.snapshots.stop();
  vestibule.accounts.stop();
  vestibule.links.stop();
  clearBrowserAttempt();
  clearMocks();
  // `clearMocks` leaves an empty object there, and the next page would take itself for one of the app.
  Reflect.deleteProperty(window, "__TAURI_INTERNALS__");
  vi.useRealTimers();
});
