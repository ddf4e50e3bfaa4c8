/** What all tenants were charged on each of the last thirty days. */
import { Skeleton, Stack, Text, Title } from "@mantine/core";
import { useMemo } from "react";
import { useRoom } from "~/api/queries";
import { money } from "~/parts/formats";
import { ProblemAlert } from "~/parts/ProblemAlert";
import { TimeChart } from "~/parts/TimeChart";
import { byDay, type Used } from "./figures";

const DAYS = 30;

/** `seller`: who writes the invoices; undefined while that is not known. */
export function Revenue({ seller }: { seller: string | undefined }) {
  const found = useRoom<{ items: (Used & { currency: string })[] }>(
    `/providers/skerry.billing/v1/sellers/${seller ?? ""}/revenue`,
    { step: "day", from: `-${DAYS}d` },
    { enabled: seller !== undefined, refresh: 60 },
  );
  const chart = useMemo(() => byDay(found.data?.items ?? [], DAYS, Date.now()), [found.data]);
  const currency = found.data?.items[0]?.currency ?? "";
  const series = useMemo(
    () => [{ label: currency || "Amount", values: chart.values }],
    [chart, currency],
  );
  return (
    <Stack gap="sm" className="surface" p="md">
      <Title order={2}>
        Charged in {DAYS} days
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
          label={`What all tenants were charged on each of the last ${DAYS} days`}
          times={chart.times}
          series={series}
          format={amount}
          least={0.01}
          bars
        />
      ) : seller === undefined ? (
        <Text size="sm" c="dimmed">
          It is shown once there is a seller, who writes the invoices.
        </Text>
      ) : (
        <Skeleton height={180} />
      )}
    </Stack>
  );
}

const amount = (value: number): string => money(BigInt(Math.round(value * 1e9)));
