// All commands of the plugin, with the names and arguments that it declares. A command that
// is missing here does not compile.

import type { Command } from "./command-names.ts";
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

/** A one-time code, and the id of the challenge that it answers. */
type OtpAnswer = { challenge: string; code: string };

/** `verify_otp` as `verifyOtp`. */
type Camel<Name extends string> = Name extends `${infer First}_${infer Rest}`
  ? `${First}${Capitalize<Camel<Rest>>}`
  : Name;

export const commands = {
  /** The state of the session; every later change comes by `changes`. */
  session: (changes?: Channel<SessionChanged>) => call<SessionChanged>("session", { changes }),
  login: (input: LoginInput) => call<SignInOutcome>("login", { input }),
  register: (input: RegisterInput) => call<SignInOutcome>("register", { input }),
  verifyOtp: (answer: OtpAnswer) => call<SignInOutcome>("verify_otp", answer),
  resendOtp: () => call<Challenge>("resend_otp"),
  cancelOtp: () => call<null>("cancel_otp"),
  refresh: () => call<null>("refresh"),
  unlockKeyring: () => call<null>("unlock_keyring"),
  logout: () => call<LogoutReply>("logout"),
  backendFetch: (exchange: number, request: FetchRequest) =>
    call<FetchReply>("backend_fetch", { exchange, request }),
  backendUpload: (exchange: number, request: UploadRequest) =>
    call<null>("backend_upload", { exchange, request }),
  backendWrite: (exchange: number, piece: Uint8Array) =>
    callRaw<boolean>("backend_write", piece, { "vestibule-exchange": String(exchange) }),
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
} satisfies Record<Camel<Command>, unknown>;
