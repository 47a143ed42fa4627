// Encodes a form as multipart/form-data (RFC 7578, as the HTML standard does it). The result refers
// to the chosen files and does not read them.

export function multipart(form: FormData): Blob {
  const random = crypto.getRandomValues(new Uint32Array(4));
  const boundary = `----vestibule${[...random].map((word) => word.toString(36)).join("")}`;
  const parts: BlobPart[] = [];
  for (const [name, value] of form) {
    const field = `--${boundary}\r\nContent-Disposition: form-data; name="${quoted(name)}"`;
    if (typeof value === "string") {
      parts.push(`${field}\r\n\r\n${value.replace(/\r\n|\r|\n/g, "\r\n")}\r\n`);
    } else {
      const type = value.type || "application/octet-stream";
      const file = `filename="${quoted(value.name)}"\r\nContent-Type: ${type}`;
      parts.push(`${field}; ${file}\r\n\r\n`, value, "\r\n");
    }
  }
  parts.push(`--${boundary}--\r\n`);
  return new Blob(parts, { type: `multipart/form-data; boundary=${boundary}` });
}

function quoted(text: string): string {
  return text.replace(/\r\n|\r|\n/g, "%0D%0A").replace(/"/g, "%22");
}
