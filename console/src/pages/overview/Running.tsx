/** What runs in the workspace, the dearest first. */
import { Button, Stack, Title } from "@mantine/core";
import { Link } from "react-router";
import { capital } from "~/api/catalogue";
import { RefLink } from "~/parts/cells";
import { DataTable, type TableColumn } from "~/parts/DataTable";
import { EmptyState } from "~/parts/EmptyState";
import { counted, size } from "~/parts/formats";
import { Money } from "~/parts/Values";
import { useAddress } from "~/shell/scope";
import type { TopItem } from "./rooms";

const MOST = 12;

const COLUMNS: TableColumn<TopItem>[] = [
  { id: "name", title: "Name", cell: ({ ref, name }) => <RefLink to={ref} label={name} /> },
  { id: "kind", title: "Kind", cell: ({ kind }) => capital(kind) },
  { id: "at", title: "Where", cell: ({ at }) => at.join(", ") || <span className="none">–</span> },
  {
    id: "cpu",
    title: "Cores",
    right: true,
    cell: ({ uses }) => (uses.cpu === undefined ? <None /> : uses.cpu.toFixed(2)),
  },
  {
    id: "memory",
    title: "Memory",
    right: true,
    cell: ({ uses }) => (uses.memory === undefined ? <None /> : size(uses.memory)),
  },
  {
    id: "hour",
    title: "An hour",
    right: true,
    cell: ({ cost }) =>
      cost ? <Money nano={cost.perHourNano ?? 0} currency={cost.currency} /> : <None />,
  },
  {
    id: "cost",
    title: "So far",
    right: true,
    cell: ({ cost }) =>
      cost ? <Money nano={cost.amountNano} currency={cost.currency} /> : <None />,
  },
];

function None() {
  return <span className="none">–</span>;
}

export function Running({ items }: { items: readonly TopItem[] }) {
  const { page } = useAddress();
  const dear = ({ cost }: TopItem): number => Number(cost?.perHourNano ?? 0);
  const sorted = items.toSorted((one, other) => dear(other) - dear(one)).slice(0, MOST);
  return (
    <Stack gap="sm">
      <Title order={2}>
        {items.length > MOST
          ? `What runs: ${counted(items.length, "thing")}, the dearest`
          : "What runs"}
      </Title>
      {items.length === 0 ? (
        <EmptyState
          title="Nothing runs here now"
          action={
            <Button component={Link} to={page("create")}>
              Create something
            </Button>
          }
        >
          Price and place are shown before anything starts.
        </EmptyState>
      ) : (
        <DataTable label="What runs" columns={COLUMNS} rows={sorted} rowKey={({ ref }) => ref} />
      )}
    </Stack>
  );
}
