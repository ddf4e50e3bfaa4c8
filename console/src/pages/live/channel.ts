/**
 * A channel into what runs, as the API speaks it: a ticket opens the websocket once, the first
 * message says what is wanted, then bytes go both ways.
 */
import { api } from "~/api/http";
import { asProblem, Problem, type ProblemDocument } from "~/api/problem";

const TICKETS = "/providers/skerry.identity/v1/tickets";
const INPUT = 0;

export interface Hearing {
  opened: () => void;
  data: (bytes: Uint8Array) => void;
  /** It ended: by itself, with a code, or by a problem. */
  ended: (code: number | undefined, problem: Problem | undefined) => void;
}

export class Channel {
  private socket: WebSocket | undefined;
  private over = false;

  constructor(
    private readonly path: string,
    private readonly hearing: Hearing,
  ) {}

  async open(wanted: unknown): Promise<void> {
    try {
      const { ticket } = await api.post<{ ticket: string }>(TICKETS, { path: this.path });
      if (this.over) return;
      this.connect(ticket, wanted);
    } catch (error) {
      this.end(undefined, asProblem(error));
    }
  }

  send(text: string): void {
    const bytes = new TextEncoder().encode(text);
    const message = new Uint8Array(bytes.length + 1);
    message[0] = INPUT;
    message.set(bytes, 1);
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(message);
  }

  resize(columns: number, rows: number): void {
    if (this.socket?.readyState === WebSocket.OPEN) {
      this.socket.send(JSON.stringify({ resize: { columns, rows } }));
    }
  }

  /** Leave it, without another word to its hearer. */
  close(): void {
    this.over = true;
    this.socket?.close();
  }

  private connect(ticket: string, wanted: unknown): void {
    const url = new URL(this.path, window.location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url, ["skerry.channel.v1", `skerry.ticket.${ticket}`]);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => socket.send(JSON.stringify(wanted));
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (typeof data === "string") this.aside(data);
      // The first byte says which output it is; a terminal has but one.
      else this.hearing.data(new Uint8Array(data, 1));
    };
    socket.onclose = () =>
      this.end(
        undefined,
        new Problem({ status: 0, title: "Cut off", detail: "The connection was lost." }),
      );
  }

  private aside(text: string): void {
    const said = JSON.parse(text) as {
      opened?: boolean;
      exit?: number;
      problem?: ProblemDocument;
    };
    if (said.opened) this.hearing.opened();
    if (said.problem) this.end(undefined, new Problem(said.problem));
    if (said.exit !== undefined) this.end(said.exit, undefined);
  }

  private end(code: number | undefined, problem: Problem | undefined): void {
    if (this.over) return;
    this.over = true;
    this.hearing.ended(code, problem);
    this.socket?.close();
  }
}
