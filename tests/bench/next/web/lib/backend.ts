// Calls from this server to the backend, with the session in the browser's cookies. The refresh
// token and the access token are in cookies that scripts cannot read, so the page holds neither.

import { cookies } from "next/headers";

const REFRESH = "__refresh_token";
const ACCESS = "access_token";
const DEVICE = "device";

type Issued = { user: unknown; tokens: { token: string; expiresIn: number } };

export function backend(): string {
  const address = process.env.BACKEND;
  if (!address) throw new Error("BACKEND must hold the backend's address");
  return address;
}

/** Posts to the backend and stores the session's tokens in the browser's cookies. */
export async function begin(path: string, body: object): Promise<Response> {
  const jar = await cookies();
  const device = jar.get(DEVICE)?.value ?? crypto.randomUUID();
  const refresh = jar.get(REFRESH)?.value;
  const answer = await fetch(`${backend()}${path}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(refresh ? { cookie: `${REFRESH}=${refresh}` } : {}),
    },
    body: JSON.stringify({
      ...body,
      fingerprint: { fingerprint: device, os: "web", browser: "web" },
    }),
    cache: "no-store",
  });
  if (!answer.ok) return new Response(answer.body, { status: answer.status });
  const { user, tokens } = (await answer.json()) as Issued;
  const kept = { httpOnly: true, sameSite: "lax", path: "/" } as const;
  const next = refreshToken(answer.headers);
  if (next) jar.set(REFRESH, next, kept);
  jar.set(ACCESS, tokens.token, { ...kept, maxAge: tokens.expiresIn });
  jar.set(DEVICE, device, kept);
  return Response.json({ user });
}

/** Reads from the backend with the session in the browser's cookies. */
export async function read(path: string): Promise<Response> {
  const access = (await cookies()).get(ACCESS)?.value;
  if (!access) return Response.json(null, { status: 401 });
  const answer = await fetch(`${backend()}${path}`, {
    headers: { authorization: `Bearer ${access}` },
    cache: "no-store",
  });
  return new Response(answer.body, {
    status: answer.status,
    headers: { "content-type": "application/json" },
  });
}

function refreshToken(headers: Headers): string | undefined {
  const lines = headers.getSetCookie();
  const line = lines.find((line) => line.startsWith(`${REFRESH}=`));
  return line?.slice(REFRESH.length + 1).split(";", 1)[0];
}
