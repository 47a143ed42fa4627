import { begin } from "../../../lib/backend";

export async function POST(request: Request): Promise<Response> {
  const { email, password } = await request.json();
  return begin("/login", { email, password });
}
