/** uPlot in React: drawn anew when the theme or the width changes, fed when only data does. */
import { useComputedColorScheme } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { moment as instant } from "./formats";
import classes from "./TimeChart.module.css";

export interface Series {
  label: string;
  /** One for each time; null where nothing is known, which leaves a gap. */
  values: readonly (number | null)[];
}

export interface TimeChartProps {
  /** What it shows, for those who can't see it. */
  label: string;
  /** Seconds since 1970. */
  times: readonly number[];
  series: readonly Series[];
  /** A value as people read it. */
  format?: (value: number) => string;
  height?: number;
  /** The smallest top of the scale, so that small noise does not look large. */
  least?: number;
  /** Bars instead of lines. */
  bars?: boolean;
  /** Ticks at powers of two, for bytes. */
  binary?: boolean;
}

const COLOURS = {
  light: ["#10758f", "#b06000", "#6a4fb3", "#1b7a43", "#a8325e", "#55646e"],
  dark: ["#5bb8d4", "#e0ad4f", "#b39ddb", "#5cc98a", "#f48fb1", "#a3b2ba"],
};

/** The axis of times, by the distance of its ticks: 24 hours, days before months. */
const DAY = "{D} {MMM}";
const TIMES = [
  [31_536_000, "{YYYY}", null, null, null, null, null, null, 1],
  [2_419_200, "{MMM}", "\n{YYYY}", null, null, null, null, null, 1],
  [86_400, DAY, "\n{YYYY}", null, null, null, null, null, 1],
  [3600, "{HH}:{mm}", `\n${DAY}`, null, `\n${DAY}`, null, null, null, 1],
  [60, "{HH}:{mm}", `\n${DAY}`, null, `\n${DAY}`, null, null, null, 1],
  [1, "{HH}:{mm}:{ss}", `\n${DAY}`, null, `\n${DAY}`, null, null, null, 1],
] as unknown as uPlot.Axis.Values;

/** 1 B to 64 PiB. */
const POWERS = Array.from({ length: 57 }, (_, power) => 2 ** power);

function moment(seconds: number): string {
  return instant(new Date(seconds * 1000).toISOString());
}

export default function TimeChartCanvas(props: TimeChartProps) {
  const { label, times, series, height = 180 } = props;
  const scheme = useComputedColorScheme("light");
  const { ref, width } = useElementSize<HTMLDivElement>();
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const kept = useRef(props);
  kept.current = props;
  const labels = series.map((one) => one.label).join("\0");

  useEffect(() => {
    if (!place.current || width === 0) return;
    const options = optionsOf(kept, labels.split("\0"), scheme, width, height);
    chart.current = new uPlot(options, dataOf(kept.current), place.current);
    return () => {
      chart.current?.destroy();
      chart.current = null;
    };
  }, [labels, scheme, width, height]);

  useEffect(() => {
    chart.current?.setData([[...times], ...series.map((one) => [...one.values])]);
  }, [times, series]);

  return (
    <div
      ref={ref}
      className={classes.chart}
      data-single={series.length === 1 || undefined}
      role="img"
      aria-label={label}
    >
      <div ref={place} style={{ minHeight: height }} />
    </div>
  );
}

function dataOf({ times, series }: TimeChartProps): uPlot.AlignedData {
  return [[...times], ...series.map((one) => [...one.values])];
}

function optionsOf(
  kept: { current: TimeChartProps },
  labels: string[],
  scheme: "light" | "dark",
  width: number,
  height: number,
): uPlot.Options {
  const format = (value: number): string => kept.current.format?.(value) ?? String(value);
  const ink = scheme === "dark" ? "#a3b2ba" : "#55646e";
  const grid = { stroke: scheme === "dark" ? "#2a363e" : "#e1e7ea", width: 1 };
  const ticks = { ...grid, size: 4 };
  const font = "11px system-ui, sans-serif";
  const bars = kept.current.bars ? uPlot.paths.bars?.({ size: [0.8, 60] }) : undefined;
  return {
    width,
    height,
    legend: { live: labels.length > 0, show: true },
    cursor: { y: false, points: { size: 6 } },
    scales: {
      y: {
        range: (_chart, _low, high) => [0, Math.max(high * 1.08, kept.current.least ?? 0) || 1],
      },
    },
    axes: [
      { stroke: ink, grid: { show: false }, ticks, font, values: TIMES },
      {
        stroke: ink,
        grid,
        ticks,
        font,
        ...(kept.current.binary ? { incrs: POWERS } : {}),
        size: (_chart, values) =>
          22 + 6.4 * Math.max(4, ...(values ?? []).map((v) => v?.length ?? 0)),
        values: (_chart, values) => values.map((value) => (value === null ? "" : format(value))),
      },
    ],
    series: [
      { label: "Time", value: (_chart, at) => (at === null ? "–" : moment(at)) },
      ...labels.map((name, index) => ({
        label: name,
        stroke: COLOURS[scheme][index % 6],
        fill:
          bars || labels.length === 1
            ? `${COLOURS[scheme][index % 6]}${bars ? "cc" : "22"}`
            : undefined,
        width: 1.6,
        paths: bars,
        points: { show: false },
        value: (_chart: uPlot, value: number | null) => (value === null ? "–" : format(value)),
      })),
    ],
  };
}
