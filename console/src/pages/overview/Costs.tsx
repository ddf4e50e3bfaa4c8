/** What was used on each of the last thirty days. */
import { Skeleton, Stack, Text, Title } from "@mantine/core";
import { useMemo } from "react";
import { useRoom } from "~/api/queries";
import { money } from "~/parts/formats";
import { ProblemAlert } from "~/parts/ProblemAlert";
import { TimeChart } from "~/parts/TimeChart";
import { byDay, type Used } from "./figures";
import { SERIES } from "./rooms";

const DAYS = 30;

export function Costs({ tenant }: { tenant: string }) {
  const path = `${SERIES}/tenants/${encodeURIComponent(tenant)}/usage`;
  const found = useRoom<{ items: (Used & { currency: string })[] }>(
    path,
    { from: `-${DAYS}d`, step: "day" },
    { refresh: 60 },
  );
  const currency = found.data?.items[0]?.currency ?? "";
  const chart = useMemo(() => byDay(found.data?.items ?? [], DAYS, Date.now()), [found.data]);
  const series = useMemo(
    () => [{ label: currency || "Amount", values: chart.values }],
    [chart, currency],
  );
  return (
    <Stack gap="sm" className="surface" p="md">
      <Title order={2}>
        Used in {DAYS} days
        {currency ? (
          <Text span size="sm" c="dimmed" fw={400}>
            {" "}
            {currency}
          </Text>
        ) : null}
      </Title>
      {found.isError ? (
        <ProblemAlert error={found.error} retry={() => void found.refetch()} />
      ) : found.data ? (
        <TimeChart
          label={`What was used on each of the last ${DAYS} days`}
          times={chart.times}
          series={series}
          format={amount}
          least={0.01}
          bars
        />
      ) : (
        <Skeleton height={180} />
      )}
    </Stack>
  );
}

const amount = (value: number): string => money(BigInt(Math.round(value * 1e9)));
