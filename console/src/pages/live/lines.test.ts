import { describe, expect, it } from "vitest";
import { type Chunk, Lines, MOST } from "./lines";

function chunk(text: string, more: Partial<Chunk> = {}): Chunk {
  const bytes = new TextEncoder().encode(text);
  const data = btoa(String.fromCharCode(...bytes));
  return { rank: 0, run: "a", offset: 0, stream: "stdout", at: "t", data, ...more };
}

describe("lines of a log", () => {
  it("are put together from pieces, each output for itself", () => {
    const log = new Lines();
    log.take(chunk("one\ntw", { at: "1" }));
    log.take(chunk("oops\n", { stream: "stderr", at: "2" }));
    log.take(chunk("o\n", { at: "3", offset: 6 }));
    expect(log.lines().map(({ text, stream, at }) => [text, stream, at])).toEqual([
      ["one", "stdout", "1"],
      ["oops", "stderr", "2"],
      ["two", "stdout", "1"],
    ]);
    expect(log.offset).toBe(8);
  });

  it("show an unfinished line, and letters that were cut apart", () => {
    const log = new Lines();
    const bytes = new TextEncoder().encode("é");
    log.take({ ...chunk(""), data: btoa(String.fromCharCode(bytes[0] ?? 0)) });
    log.take({ ...chunk(""), data: btoa(String.fromCharCode(bytes[1] ?? 0)) });
    expect(log.lines().map(({ text }) => text)).toEqual(["é"]);
  });

  it("say where one run ends and the next begins", () => {
    const log = new Lines();
    log.take(chunk("a\n", { offset: 10 }));
    log.take(chunk("b\n", { run: "b" }));
    expect(log.lines().map(({ text }) => text)).toEqual(["a", "started anew", "b"]);
    expect([log.run, log.offset]).toEqual(["b", 2]);
  });

  it("lose their colours, and what a carriage return wrote over", () => {
    const log = new Lines();
    log.take(chunk("10 %\r50 %\r100 %\r\n\u001b[31mred\u001b[0m\n"));
    expect(log.lines().map(({ text }) => text)).toEqual(["100 %", "red"]);
  });

  it("are kept up to a number", () => {
    const log = new Lines();
    for (let part = 0; part < 10; part += 1) log.take(chunk("x\n".repeat(MOST / 5)));
    expect(log.lines().length).toBeLessThanOrEqual(MOST * 1.2);
    expect(log.dropped + log.lines().length).toBe(MOST * 2);
  });
});
