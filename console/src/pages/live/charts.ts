/** From the API's series to charts: what belongs together is drawn together. */
import { duration, size } from "~/parts/formats";

export interface Metrics {
  from: string;
  to: string;
  /** Seconds. */
  step: number;
  series: { name: string; unit: string; values: (number | null)[] }[];
}

export interface Chart {
  title: string;
  times: readonly number[];
  series: { label: string; values: readonly (number | null)[] }[];
  format: (value: number) => string;
  /** The last known values, in words. */
  now: string;
  least: number | undefined;
  /** Whether it counts bytes. */
  binary: boolean;
}

const GROUPS: readonly (readonly [title: string, names: readonly string[]])[] = [
  ["CPU", ["cpu"]],
  ["Memory", ["memory"]],
  ["GPU", ["gpu"]],
  ["GPU memory", ["gpuMemory"]],
  ["Requests", ["requests", "failures"]],
  ["Time to answer", ["latency"]],
  ["Network", ["received", "sent"]],
  ["Disk", ["disk"]],
  ["Copies that run", ["tasks"]],
];

/** One chart for each group of which something is known; what is new to us has one of its own. */
export function chartsOf(metrics: Metrics): readonly Chart[] {
  const known = new Set(GROUPS.flatMap(([, names]) => names));
  const own = metrics.series
    .filter(({ name }) => !known.has(name))
    .map(({ name }) => [name, [name]] as const);
  return [...GROUPS, ...own].flatMap(([title, names]) => {
    const found = names
      .flatMap((name) => metrics.series.filter((series) => series.name === name))
      .filter(({ values }) => values.some((value) => value !== null));
    return found.length === 0 ? [] : [chartOf(title, metrics, found)];
  });
}

function chartOf(title: string, metrics: Metrics, found: Metrics["series"]): Chart {
  const start = Date.parse(metrics.from) / 1000;
  const count = Math.max(...found.map(({ values }) => values.length));
  const unit = found[0]?.unit ?? "";
  const format = formatOf(unit);
  const said = SAID[unit] ?? "";
  const labels = found.map(({ name }) => (found.length === 1 ? title : name));
  const last = found.map(({ values }) => values.findLast((value) => value !== null) ?? null);
  return {
    title,
    times: Array.from({ length: count }, (_, index) => start + index * metrics.step),
    series: found.map(({ values }, index) => ({ label: labels[index] ?? title, values })),
    format,
    now: last
      .map((value, index) => {
        const text = value === null ? "–" : `${format(value)}${said}`;
        return found.length === 1 ? text : `${labels[index]} ${text}`;
      })
      .join(", "),
    least: LEAST[unit],
    binary: unit.startsWith("bytes"),
  };
}

/** What follows a number in words; on an axis there is no room for it. */
const SAID: Readonly<Record<string, string>> = { cores: " cores", "requests/s": "/s" };
/** The smallest top of a scale: below it, differences mean nothing. */
const LEAST: Readonly<Record<string, number>> = { ratio: 1, bytes: 1024, "bytes/s": 1024 };

function formatOf(unit: string): (value: number) => string {
  switch (unit) {
    case "bytes":
      return (value) => size(Math.round(value));
    case "bytes/s":
      return (value) => `${size(Math.round(value))}/s`;
    case "ratio":
      return (value) => `${Math.round(value * 100)} %`;
    case "seconds":
      return duration;
    default:
      return digits;
  }
}

/** Three digits that count. */
function digits(value: number): string {
  return value === 0 ? "0" : String(Number(value.toPrecision(value >= 1000 ? 4 : 3)));
}
