/** A log as it grows: a stream that is taken up again where it was cut off. */
import { useEffect, useState } from "react";
import { send, withQuery } from "~/api/http";
import { asProblem, type Problem, unreachable } from "~/api/problem";
import { type Chunk, type Line, Lines } from "./lines";

export interface Log {
  lines: readonly Line[];
  dropped: number;
  /** reading: bytes may come; waiting: it was cut off and is tried again; over: it ended. */
  state: "reading" | "waiting" | "over";
  problem: Problem | undefined;
}

const EMPTY: Log = { lines: [], dropped: 0, state: "reading", problem: undefined };

/** `which`: whose of several (`rank`, `replica`). `live`: whether more may come. */
export function useLog(path: string, which: Record<string, string>, live: boolean): Log {
  const [log, setLog] = useState<Log>(EMPTY);
  const asked = JSON.stringify(which);
  useEffect(() => {
    setLog(EMPTY);
    const lines = new Lines();
    const aborter = new AbortController();
    let drawing: ReturnType<typeof setTimeout> | undefined;
    const draw = (state: Log["state"], problem?: Problem): void => {
      setLog({ lines: lines.lines(), dropped: lines.dropped, state, problem });
    };
    const run = async (): Promise<void> => {
      for (let tries = 0; !aborter.signal.aborted; tries += 1) {
        const query = {
          ...(JSON.parse(asked) as Record<string, string>),
          follow: live,
          offset: lines.offset || undefined,
          run: lines.run || undefined,
        };
        try {
          const response = await send(withQuery(path, query), { signal: aborter.signal });
          for await (const chunk of chunks(response)) {
            lines.take(chunk);
            tries = 0;
            drawing ??= setTimeout(() => {
              drawing = undefined;
              draw("reading");
            }, 80);
          }
          clearTimeout(drawing);
          drawing = undefined;
          // The server ends a stream that is followed only when nothing more is written.
          if (!aborter.signal.aborted) draw("over");
          return;
        } catch (error) {
          if (aborter.signal.aborted) return;
          const problem = asProblem(error);
          draw(problem.passing ? "waiting" : "over", problem);
          if (!problem.passing) return;
        }
        await new Promise((wake) => setTimeout(wake, Math.min(10_000, 500 * 2 ** tries)));
      }
    };
    void run();
    return () => {
      aborter.abort();
      clearTimeout(drawing);
    };
  }, [path, asked, live]);
  return log;
}

/** The pieces of a stream of NDJSON. A blank line only says that it lives. */
async function* chunks(response: Response): AsyncGenerator<Chunk> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  while (reader) {
    const { done, value } = await reader.read();
    if (done) break;
    const parts = (rest + value).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) {
      if (part.trim() === "") continue;
      const said = JSON.parse(part) as Chunk | { error: string };
      // The site is away: the stream is taken up again once it is back.
      if ("error" in said) throw unreachable();
      yield said;
    }
  }
}
