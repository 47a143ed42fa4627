// Generated from src-tauri/plugin/src/command_list.rs by `cargo xtask types`. Do not edit.

import { type Channel, call, callRaw } from "./ipc.ts";
import type {
  AppInfo,
  Challenge,
  FetchReply,
  FetchRequest,
  LoginInput,
  LogoutReply,
  RegisterInput,
  SessionChanged,
  SignInOutcome,
  Theme,
  UploadReply,
  UploadRequest,
} from "./wire.ts";

/** All commands of the plugin, with their arguments and what they answer. */
export const commands = {
  session: (changes?: Channel<SessionChanged>) => call<SessionChanged>("session", { changes }),
  refresh: () => call<null>("refresh"),
  unlockKeyring: () => call<null>("unlock_keyring"),
  logout: () => call<LogoutReply>("logout"),
  login: (input: LoginInput) => call<SignInOutcome>("login", { input }),
  register: (input: RegisterInput) => call<SignInOutcome>("register", { input }),
  verifyOtp: (challenge: string, code: string) => call<SignInOutcome>("verify_otp", { challenge, code }),
  resendOtp: () => call<Challenge>("resend_otp"),
  cancelOtp: () => call<null>("cancel_otp"),
  backendFetch: (exchange: number, request: FetchRequest) => call<FetchReply>("backend_fetch", { exchange, request }),
  backendUpload: (exchange: number, request: UploadRequest) => call<null>("backend_upload", { exchange, request }),
  backendWrite: (bytes: Uint8Array, headers: Record<string, string>) => callRaw<boolean>("backend_write", bytes, headers),
  backendAnswer: (exchange: number) => call<UploadReply>("backend_answer", { exchange }),
  backendRead: (exchange: number) => call<ArrayBuffer>("backend_read", { exchange }),
  backendCancel: (exchange: number) => call<null>("backend_cancel", { exchange }),
  windowReady: () => call<null>("window_ready"),
  newWindow: () => call<null>("new_window"),
  appInfo: () => call<AppInfo>("app_info"),
  theme: () => call<Theme>("theme"),
  setTheme: (theme: Theme) => call<null>("set_theme", { theme }),
  setReports: (on: boolean) => call<null>("set_reports", { on }),
  openLogFolder: () => call<null>("open_log_folder"),
};
