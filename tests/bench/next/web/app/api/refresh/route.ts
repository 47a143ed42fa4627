import { begin } from "../../../lib/backend";

export function POST(): Promise<Response> {
  return begin("/refresh-token", {});
}
