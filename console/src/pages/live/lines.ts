/** A log as lines: pieces of bytes come in, whole lines with their time and stream come out. */

/** One piece as the API sends it. */
export interface Chunk {
  rank: number;
  run: string;
  offset: number;
  stream: string;
  at: string;
  /** Base64. */
  data: string;
}

export interface Line {
  readonly id: number;
  readonly at: string;
  readonly stream: string;
  readonly text: string;
}

/** Lines kept; what is before them can still be downloaded. */
export const MOST = 5000;
const ESCAPES = new RegExp(`${String.fromCharCode(27)}\\[[0-9;?]*[A-Za-z]`, "g");

/** Puts pieces together. Both outputs have lines of their own, so that they do not mix. */
export class Lines {
  private readonly open = new Map<string, { decoder: TextDecoder; text: string; at: string }>();
  private kept: Line[] = [];
  private count = 0;
  /** Where to go on: the run, and the byte after the last that came. */
  run = "";
  offset = 0;

  /** Lines that fell away at the top. */
  get dropped(): number {
    return Math.max(0, this.count - this.kept.length);
  }

  take(chunk: Chunk): void {
    if (chunk.run !== this.run) this.begin(chunk.run);
    const bytes = bytesOf(chunk.data);
    this.offset = Math.max(this.offset, chunk.offset + bytes.length);
    const output = this.open.get(chunk.stream) ?? { decoder: new TextDecoder(), text: "", at: "" };
    this.open.set(chunk.stream, output);
    const parts = (output.text + output.decoder.decode(bytes, { stream: true })).split("\n");
    const rest = parts.pop() ?? "";
    for (const [index, part] of parts.entries()) {
      this.add(index === 0 && output.at ? output.at : chunk.at, chunk.stream, part);
    }
    output.at = rest === "" ? "" : parts.length > 0 || output.at === "" ? chunk.at : output.at;
    output.text = rest;
  }

  /** All lines so far, an unfinished last one of each output with them. */
  lines(): readonly Line[] {
    const open = [...this.open]
      .filter(([, { text }]) => text !== "")
      .map(([stream, { text, at }], index) => line(this.count + index, at, stream, text));
    return [...this.kept, ...open];
  }

  private begin(run: string): void {
    if (this.run !== "") this.add("", "note", "started anew");
    this.run = run;
    this.offset = 0;
    this.open.clear();
  }

  private add(at: string, stream: string, text: string): void {
    this.kept.push(line(this.count, at, stream, text));
    this.count += 1;
    // Cut rarely, and much at once: cutting at each line would copy all of them each time.
    if (this.kept.length > MOST * 1.2) this.kept = this.kept.slice(-MOST);
  }
}

/** What moves a terminal's cursor or colours it says nothing here; a carriage return begins anew. */
function line(id: number, at: string, stream: string, text: string): Line {
  const plain = text.replace(ESCAPES, "").replace(/\r+$/, "");
  return { id, at, stream, text: plain.slice(plain.lastIndexOf("\r") + 1) };
}

/** The bytes of a piece. */
export function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}
