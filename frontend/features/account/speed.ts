import type { AuthError } from "vestibule";
import { auth, messages } from "@/lib/vestibule";

// Measures the speed between this app and its server: downloads a number of bytes, then uploads as
// many. Neither side keeps them.

export type Direction = "down" | "up";
export type Moved = { direction: Direction; bytes: number; of: number };
/** Speeds in bits per second. */
export type Speeds = Record<Direction, number>;
export type Outcome = { speeds: Speeds } | { failure: AuthError } | { missing: true };

const PATH = "/transfer";
const PIECE = 256 * 1024;

/** Rejects only with the reason of `signal`. */
export async function measure(
  bytes: number,
  signal: AbortSignal,
  onMoved: (moved: Moved) => void,
): Promise<Outcome> {
  try {
    const start = performance.now();
    const downloaded = await download(bytes, signal, onMoved);
    if (downloaded) return downloaded;
    const between = performance.now();
    const uploaded = await upload(bytes, signal, onMoved);
    if (uploaded) return uploaded;
    const down = rate(bytes, between - start);
    return { speeds: { down, up: rate(bytes, performance.now() - between) } };
  } catch (cause) {
    signal.throwIfAborted();
    const failure = auth.failure(cause);
    return failure.code === "path_refused" ? { missing: true } : { failure };
  }
}

async function download(
  bytes: number,
  signal: AbortSignal,
  onMoved: (moved: Moved) => void,
): Promise<Outcome | null> {
  const answer = await auth.fetch(`${PATH}?bytes=${bytes}`, { signal });
  const refused = refusedBy(answer);
  if (refused) return refused;
  let received = 0;
  const response = auth.counted(answer, (now) => {
    received = now.received;
    onMoved({ direction: "down", bytes: received, of: bytes });
  });
  const reader = response.body?.getReader();
  // The bytes are read and dropped; only their number matters.
  while (reader && !(await reader.read()).done);
  return received === bytes ? null : { failure: messages.failures.badAnswer };
}

async function upload(
  bytes: number,
  signal: AbortSignal,
  onMoved: (moved: Moved) => void,
): Promise<Outcome | null> {
  const response = await auth.fetch(PATH, {
    method: "POST",
    headers: { "content-type": "application/octet-stream" },
    body: noise(bytes),
    signal,
    onUploadProgress: ({ sent }) => onMoved({ direction: "up", bytes: sent, of: bytes }),
  });
  const refused = refusedBy(response);
  if (refused) return refused;
  const taken: unknown = await response.json().catch(() => null);
  return (taken as { bytes?: unknown } | null)?.bytes === bytes
    ? null
    : { failure: messages.failures.badAnswer };
}

function refusedBy(response: Response): Outcome | null {
  if (response.ok) return null;
  return response.status === 404 ? { missing: true } : { failure: auth.refusal(response) };
}

/** A stream of random bytes, which no program on the way can compress. */
function noise(bytes: number): ReadableStream<Uint8Array> {
  const piece = new Uint8Array(PIECE);
  for (let at = 0; at < PIECE; at += 65_536) {
    crypto.getRandomValues(piece.subarray(at, at + 65_536));
  }
  let left = bytes;
  return new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        if (left === 0) return controller.close();
        const length = Math.min(left, PIECE);
        left -= length;
        controller.enqueue(piece.slice(0, length));
      },
    },
    { highWaterMark: 0 },
  );
}

function rate(bytes: number, ms: number): number {
  return (bytes * 8) / (Math.max(ms, 1) / 1000);
}
