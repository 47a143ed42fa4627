import { read } from "../../../lib/backend";

export function GET(): Promise<Response> {
  return read("/me");
}
