/** Lines over time. The chart itself (uPlot) comes in a chunk of its own. */

import { Skeleton } from "@mantine/core";
import { lazy, Suspense } from "react";
import type { TimeChartProps } from "./TimeChartCanvas";

const Canvas = lazy(() => import("./TimeChartCanvas"));

export function TimeChart(props: TimeChartProps) {
  return (
    <Suspense fallback={<Skeleton height={props.height ?? 180} />}>
      <Canvas {...props} />
    </Suspense>
  );
}
