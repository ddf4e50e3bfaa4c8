/** What a tenant was billed for, by day or hour, by product or workspace. */
import { Group, SegmentedControl, Skeleton, Stack, Title } from "@mantine/core";
import { useMemo } from "react";
import { useSearchParams } from "react-router";
import { useRoom } from "~/api/queries";
import { EmptyState } from "~/parts/EmptyState";
import type { Nano } from "~/parts/formats";
import { ProblemAlert } from "~/parts/ProblemAlert";
import { Late } from "~/parts/Skeletons";
import { useScope } from "~/shell/scope";
import { type Step, stacked } from "./grouping";
import { StackedBars } from "./StackedBars";

interface UsageItem {
  at: string;
  workspace: string;
  product: string;
  meter: string;
  currency: string;
  amountNano: Nano;
}

interface Usage {
  from: string;
  to: string;
  items: UsageItem[];
}

const SINCE: Record<string, { step: Step; from: string; label: string }> = {
  "2d": { step: "hour", from: "-2d", label: "2 days" },
  "30d": { step: "day", from: "-30d", label: "30 days" },
  "90d": { step: "day", from: "-90d", label: "90 days" },
};
const BY: Record<string, { label: string; of: (item: UsageItem) => string }> = {
  product: { label: "Product", of: (item) => item.product },
  workspace: { label: "Workspace", of: (item) => item.workspace },
  meter: { label: "Meter", of: (item) => item.meter },
};

/** What the page asks of use: since when, in what steps. */
export function useAsked() {
  const { tenant } = useScope();
  const [query] = useSearchParams();
  const since = query.get("since") ?? "30d";
  const { step, from, label } = SINCE[since] ?? { step: "day", from: "-30d", label: "30 days" };
  const path = `/providers/skerry.series/v1/tenants/${encodeURIComponent(tenant)}/usage`;
  return { since, step, from, label, path };
}

export function UsageChart() {
  const [query, setQuery] = useSearchParams();
  const by = query.get("by") ?? "product";
  const { since, step, from, label, path } = useAsked();
  const found = useRoom<Usage>(path, { step, from }, { refresh: 60 });
  const choose = (name: string, value: string): void => {
    setQuery(
      (before) => {
        const next = new URLSearchParams(before);
        next.set(name, value);
        return next;
      },
      { replace: true },
    );
  };
  const of = BY[by]?.of;
  const stack = useMemo(
    () =>
      found.data && of
        ? stacked(found.data.items, of, {
            from: new Date(found.data.from),
            to: new Date(found.data.to),
            step,
          })
        : undefined,
    [found.data, of, step],
  );
  return (
    <Stack gap="sm">
      <Group justify="space-between">
        <Title order={2}>Use</Title>
        <Group gap="xs" className="no-print">
          <SegmentedControl
            size="xs"
            aria-label="What the bars are made of"
            value={by}
            onChange={(value) => choose("by", value)}
            data={Object.entries(BY).map(([value, one]) => ({ value, label: one.label }))}
          />
          <SegmentedControl
            size="xs"
            aria-label="Since when"
            value={since}
            onChange={(value) => choose("since", value)}
            data={Object.entries(SINCE).map(([value, one]) => ({ value, label: one.label }))}
          />
        </Group>
      </Group>
      {found.isError && !found.data ? (
        <ProblemAlert error={found.error} retry={() => void found.refetch()} />
      ) : null}
      {!stack && !found.isError ? (
        <Late>
          <Skeleton height={220} />
        </Late>
      ) : null}
      {stack && stack.names.length === 0 ? (
        <EmptyState icon="chart" title="Nothing was billed in this time">
          What runs is charged each minute, and stands here then.
        </EmptyState>
      ) : null}
      {stack && stack.names.length > 0 ? (
        <StackedBars
          label={`Billed in the last ${label}, by ${by}`}
          stack={stack}
          step={step}
          currency={found.data?.items[0]?.currency ?? ""}
        />
      ) : null}
    </Stack>
  );
}
