/** Server-sent events over fetch, which unlike EventSource can carry a token in a header. */

export interface ServerEvent {
  id: string;
  event: string;
  data: string;
}

/** The events of a stream of text, as they come; a comment or a bare id has empty `data`. */
export async function* events(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  const reader = body
    .pipeThrough(new TextDecoderStream() as never)
    .getReader() as ReadableStreamDefaultReader<string>;
  let kept = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      kept += value.replaceAll("\r\n", "\n");
      for (let end = kept.indexOf("\n\n"); end >= 0; end = kept.indexOf("\n\n")) {
        yield parse(kept.slice(0, end));
        kept = kept.slice(end + 2);
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function parse(block: string): ServerEvent {
  const found: ServerEvent = { id: "", event: "message", data: "" };
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    if (colon <= 0) continue;
    const value = line.slice(colon + 1).replace(/^ /, "");
    const name = line.slice(0, colon);
    if (name === "id") found.id = value;
    else if (name === "event") found.event = value;
    else if (name === "data") found.data += found.data ? `\n${value}` : value;
  }
  return found;
}
