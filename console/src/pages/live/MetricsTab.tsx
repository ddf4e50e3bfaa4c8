/** What it used, over time: processors, memory, GPUs, network, requests. */
import { Button, Group, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { useMemo, useState } from "react";
import { namesIn } from "~/api/catalogue";
import { withQuery } from "~/api/http";
import { pathOf, useView } from "~/api/queries";
import { EmptyState } from "~/parts/EmptyState";
import { Equivalent } from "~/parts/Equivalent";
import { ProblemAlert } from "~/parts/ProblemAlert";
import { PageSkeleton } from "~/parts/Skeletons";
import { TimeChart } from "~/parts/TimeChart";
import type { TabProps } from "~/shell/areas";
import { flagsOf } from "../resources/ResourcePage";
import { type Chart, chartsOf, type Metrics } from "./charts";

const SPANS = [
  { value: "-15m", label: "15 min" },
  { value: "-1h", label: "1 h" },
  { value: "-6h", label: "6 h" },
  { value: "-1d", label: "1 day" },
  { value: "-7d", label: "7 days" },
];
const EVERY = 15;

export default function MetricsTab({ kind, resource }: TabProps) {
  const [from, setFrom] = useState("-15m");
  const { ref } = resource.metadata;
  const found = useView<Metrics>(kind, ref, "metrics", { from }, { refresh: EVERY });
  const charts = useMemo(() => (found.data ? chartsOf(found.data) : []), [found.data]);
  const names = namesIn(kind, ref);
  return (
    <Stack gap="md">
      <Group>
        <Button.Group aria-label="How far back">
          {SPANS.map(({ value, label }) => (
            <Button
              key={value}
              size="xs"
              variant={value === from ? "filled" : "default"}
              aria-pressed={value === from}
              onClick={() => setFrom(value)}
            >
              {label}
            </Button>
          ))}
        </Button.Group>
      </Group>
      {found.isError && !found.data ? (
        <ProblemAlert error={found.error} retry={() => void found.refetch()} />
      ) : found.data ? (
        <Charts charts={charts} />
      ) : (
        <PageSkeleton />
      )}
      <Equivalent
        command={[kind.noun, "metrics", ...flagsOf(kind, names), `--from=${from}`]}
        call={{ method: "GET", path: withQuery(`${pathOf(ref)}/metrics`, { from }) }}
      />
    </Stack>
  );
}

function Charts({ charts }: { charts: readonly Chart[] }) {
  if (charts.length === 0) {
    return (
      <EmptyState icon="chart" title="Nothing was measured in this time">
        It is measured while it runs. Choose a longer time to see what was before.
      </EmptyState>
    );
  }
  return (
    <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="md">
      {charts.map((chart) => (
        <section key={chart.title} className="surface" style={{ padding: 16, minWidth: 0 }}>
          <Group justify="space-between" mb={4}>
            <Title order={2} size="h5">
              {chart.title}
            </Title>
            <Text size="sm" c="dimmed" className="tabular">
              {chart.now}
            </Text>
          </Group>
          <TimeChart
            label={`${chart.title} over time. ${chart.now}`}
            times={chart.times}
            series={chart.series}
            format={chart.format}
            least={chart.least}
            binary={chart.binary}
          />
        </section>
      ))}
    </SimpleGrid>
  );
}
