import { expect, it } from "vitest";
import { chartsOf } from "./charts";

const told = (series: [string, string, (number | null)[]][]) =>
  chartsOf({
    from: "2026-11-22T01:00:00Z",
    to: "2026-11-22T01:01:00Z",
    step: 15,
    series: series.map(([name, unit, values]) => ({ name, unit, values })),
  });

it("draws together what belongs together, and leaves out what is not known", () => {
  const charts = told([
    ["sent", "bytes/s", [1, null]],
    ["received", "bytes/s", [2048, 1024]],
    ["gpu", "ratio", [null, null]],
    ["cpu", "cores", [0.00289836, 0.5]],
    ["wishes", "wishes", [3]],
  ]);
  expect(charts.map(({ title, now }) => [title, now])).toEqual([
    ["CPU", "0.5 cores"],
    ["Network", "received 1 KiB/s, sent 1 B/s"],
    ["wishes", "3"],
  ]);
  expect(charts[0]?.times).toEqual([1795309200, 1795309215]);
});

it("shows shares of a whole against the whole", () => {
  expect(told([["gpu", "ratio", [0.123]]])[0]).toMatchObject({ least: 1, now: "12 %" });
});
