// Counts the bytes of a response's body while it is read.

/** How many bytes have arrived. `total` is null where the backend does not say how many will. */
export type DownloadProgress = { received: number; total: number | null };

/** The same response, whose body calls `onProgress` for each piece that is read. */
export function counted(
  response: Response,
  onProgress: (progress: DownloadProgress) => void,
): Response {
  const length = Number(response.headers.get("content-length") ?? Number.NaN);
  const total = Number.isFinite(length) ? length : null;
  let received = 0;
  onProgress({ received, total });
  if (!response.body) return response;
  const reader = response.body.getReader();
  const body = new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const { done, value } = await reader.read();
        if (done) return controller.close();
        received += value.byteLength;
        onProgress({ received, total });
        controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
  const { status, statusText, headers } = response;
  return new Response(body, { status, statusText, headers });
}
