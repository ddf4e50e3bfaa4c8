/**
 * The live feed: one stream of all that happens in a tenant, resumed by its cursor.
 *
 * It reconnects by itself with growing pauses. A cursor that is too old (410) begins anew and says
 * `gap`, so that everything is asked for again. A page that nobody sees lets its connection go:
 * browsers allow six to one server, and other tabs need theirs.
 */
import { send, withQuery } from "./http";
import { parseJson } from "./json";
import { Problem } from "./problem";
import { events } from "./sse";
import type { Document } from "./types";

export interface Happening {
  position: number;
  kind: string;
  ref: string;
  verb: string;
  version: number;
  resource?: Document;
}

export type FeedState = "connecting" | "live" | "lost" | "paused";

export interface Listener {
  happened(event: Happening): void;
  /** Something may have been missed: ask for everything again. */
  gap(): void;
  state(state: FeedState): void;
}

/** Seconds without a sign of life after which a connection counts as dead; the server sends one
 *  every 15. */
const SILENCE = 40;
const HIDDEN = 20;

export class Feed {
  private cursor: string | undefined;
  private aborter: AbortController | undefined;
  private stopped = false;
  private tries = 0;
  private wake: (() => void) | undefined;
  private hiding: ReturnType<typeof setTimeout> | undefined;
  private hidden = false;

  constructor(
    /** Of the stream, without its query: `/providers/skerry.proof/v1/tenants/x/events`. */
    private readonly path: string,
    private readonly listener: Listener,
  ) {}

  start(): void {
    document.addEventListener("visibilitychange", this.seen);
    window.addEventListener("online", this.again);
    void this.run();
  }

  stop(): void {
    this.stopped = true;
    document.removeEventListener("visibilitychange", this.seen);
    window.removeEventListener("online", this.again);
    clearTimeout(this.hiding);
    this.aborter?.abort();
    this.wake?.();
  }

  private readonly again = (): void => {
    this.wake?.();
  };

  private readonly seen = (): void => {
    clearTimeout(this.hiding);
    if (document.visibilityState === "hidden") {
      this.hiding = setTimeout(() => {
        this.hidden = true;
        this.aborter?.abort();
      }, HIDDEN * 1000);
    } else {
      this.hidden = false;
      this.wake?.();
    }
  };

  private async run(): Promise<void> {
    while (!this.stopped) {
      if (this.hidden) {
        this.listener.state("paused");
        await this.pause(3600);
        continue;
      }
      const problem = await this.connection();
      if (this.stopped) return;
      if (this.hidden) continue;
      if (problem?.status === 410) {
        this.cursor = undefined;
        this.listener.gap();
        continue;
      }
      if (problem?.status === 401 || problem?.status === 403 || problem?.status === 404) {
        // One who may not watch still reads; a role given meanwhile is found out by asking again.
        this.listener.state("paused");
        await this.pause(60);
        continue;
      }
      this.listener.state("lost");
      this.tries += 1;
      await this.pause(
        Math.min(15, 0.25 * 2 ** Math.min(this.tries, 6)) * (0.75 + Math.random() / 2),
      );
    }
  }

  /** One connection, to its end; why it ended, if that is known. */
  private async connection(): Promise<Problem | undefined> {
    const aborter = new AbortController();
    this.aborter = aborter;
    let silence: ReturnType<typeof setTimeout> | undefined;
    const alive = (): void => {
      clearTimeout(silence);
      silence = setTimeout(() => aborter.abort(), SILENCE * 1000);
    };
    try {
      alive();
      const query = { watch: true, from: this.cursor };
      const response = await send(withQuery(this.path, query), {
        signal: aborter.signal,
        headers: { accept: "text/event-stream" },
      });
      for await (const event of events(response.body ?? new ReadableStream())) {
        alive();
        this.tries = 0;
        this.listener.state("live");
        if (event.id) this.cursor = event.id;
        if (event.data) this.listener.happened(parseJson(event.data) as Happening);
      }
      return undefined;
    } catch (error) {
      return error instanceof Problem ? error : undefined;
    } finally {
      clearTimeout(silence);
    }
  }

  private pause(seconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, seconds * 1000);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
