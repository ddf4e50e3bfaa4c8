// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Feed, type FeedState, type Happening } from "./feed";

const asked: string[] = [];
let answers: (() => Response)[] = [];

function stream(text: string): Response {
  const chunks = text.match(/[\s\S]{1,7}/g) ?? [];
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
      controller.close();
    },
  });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}

function refused(status: number): Response {
  const body = JSON.stringify({ title: "No", status });
  return new Response(body, { status, headers: { "content-type": "application/problem+json" } });
}

function event(position: number): string {
  const data = { position, kind: "job", ref: `j${position}`, verb: "put", version: 1 };
  return `id: ${position}\nevent: put\ndata: ${JSON.stringify(data)}\n\n`;
}

class Heard {
  readonly refs: string[] = [];
  readonly states: FeedState[] = [];
  gaps = 0;
  readonly feed = new Feed("/events", {
    happened: (found: Happening) => this.refs.push(found.ref),
    gap: () => {
      this.gaps += 1;
    },
    state: (state) => {
      if (this.states.at(-1) !== state) this.states.push(state);
    },
  });
}

beforeEach(() => {
  vi.useFakeTimers();
  asked.length = 0;
  vi.stubGlobal("fetch", async (url: string) => {
    asked.push(url);
    const answer = answers.shift();
    if (!answer) return new Promise(() => undefined);
    return answer();
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function heardAfter(...given: (() => Response)[]): Promise<Heard> {
  answers = given;
  const heard = new Heard();
  heard.feed.start();
  for (let step = 0; step < 40; step += 1) await vi.advanceTimersByTimeAsync(500);
  heard.feed.stop();
  return heard;
}

describe("the feed", () => {
  it("goes on after what it saw last, however it was cut off", async () => {
    const heard = await heardAfter(
      () => stream(`: watching\nid: 4\n\n${event(5)}${event(6)}`),
      () => {
        throw new TypeError("cut");
      },
      () => refused(503),
      () => stream(event(7)),
    );
    expect(heard.refs).toEqual(["j5", "j6", "j7"]);
    expect(asked.slice(0, 4)).toEqual([
      "/events?watch=true",
      "/events?watch=true&from=6",
      "/events?watch=true&from=6",
      "/events?watch=true&from=6",
    ]);
    expect(heard.states.slice(0, 3)).toEqual(["live", "lost", "live"]);
  });

  it("says that it may have missed something when its cursor is too old", async () => {
    const heard = await heardAfter(
      () => stream(event(5)),
      () => refused(410),
      () => stream(event(90)),
    );
    expect(heard.gaps).toBe(1);
    expect(asked[2]).toBe("/events?watch=true");
    expect(heard.refs).toEqual(["j5", "j90"]);
  });

  it("leaves those in peace who may not watch", async () => {
    const heard = await heardAfter(() => refused(403));
    expect(heard.states).toEqual(["paused"]);
    expect(asked).toHaveLength(1);
  });
});
