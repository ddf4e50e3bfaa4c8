/** The whole cloud, for who operates it: tenants, revenue, how busy it is, what is wrong. */
import { Anchor, Group, SimpleGrid, Skeleton, Stack, Text, Title } from "@mantine/core";
import { Link } from "react-router";
import { useCatalogue } from "~/api/catalogue";
import { useList, useRoom } from "~/api/queries";
import { useUse } from "~/pages/places/use";
import { DataTable, type TableColumn } from "~/parts/DataTable";
import { counted, size } from "~/parts/formats";
import { ProblemAlert } from "~/parts/ProblemAlert";
import { TimeChart } from "~/parts/TimeChart";
import { useScope } from "~/shell/scope";
import { Attention } from "./Attention";
import { rough, sum } from "./figures";
import { PlacesRoom } from "./PlacesRoom";
import { Revenue } from "./Revenue";
import { type Alert, SERIES } from "./rooms";
import { Tile } from "./Tile";

interface Earned {
  period: string;
  tenant: string;
  currency: string;
  usedNano: number | bigint;
  openNano?: number | bigint;
}

interface Busy {
  tenants: { name: string; tasks: number; uses: Record<string, number> }[];
}

interface Status {
  version: string;
  ledger: { balanced: boolean; settledSecondsAgo: number | null };
  log: { size: number; waiting: number };
  queue: { flows: number; failing: number; overdue: number };
  disk: { freeBytes: number; totalBytes: number };
}

interface Customer {
  name: string;
  tasks: number;
  used: bigint;
  currency: string;
}

export function Cloud({ alerts }: { alerts: readonly Alert[] }) {
  const catalogue = useCatalogue();
  const scope = useScope();
  const tenants = useList(catalogue.kind("tenant"), scope, { limit: 1000 });
  const sites = useList(catalogue.kind("site"), scope, { limit: 1000 });
  const sellers = useList(catalogue.kind("seller"), scope, { limit: 1 });
  const seller = sellers.data?.items[0]?.metadata.name;
  const earned = useRoom<{ items: Earned[] }>(
    `/providers/skerry.billing/v1/sellers/${seller ?? ""}/revenue`,
    { from: new Date().toISOString().slice(0, 7) },
    { enabled: seller !== undefined, refresh: 60 },
  );
  const busy = useRoom<Busy>(`${SERIES}/top`, {}, { refresh: 15 });
  const status = useRoom<Status>(`${SERIES}/status`, {}, { refresh: 15 });
  const use = useUse("-6h");
  const months = earned.data?.items ?? [];
  const names = (tenants.data?.items ?? []).map(({ metadata }) => metadata.name);
  const error = [tenants, sites, busy, status].find((one) => one.error)?.error ?? use.error;
  return (
    <Stack gap="md">
      {error ? <ProblemAlert error={error} /> : null}
      <SimpleGrid cols={{ base: 2, lg: 4 }} spacing={{ base: "xs", sm: "md" }}>
        <Tile label="Tenants" to="kinds/tenant" note={runs(busy.data)}>
          {names.length}
        </Tile>
        <Tile label="Revenue this month" to="billing" note="used by all tenants, before tax">
          {seller === undefined && sellers.data
            ? "–"
            : rough(sum(months.map(({ usedNano }) => usedNano)), months[0]?.currency)}
        </Tile>
        <Tile label="Places" to="places" note={connected(sites.data?.items)}>
          {sites.data?.items.length ?? 0}
        </Tile>
        <Tile label="Health" to="audit?kinds=alert" note={health(status.data)}>
          {alerts.length === 0 ? "No alerts" : counted(alerts.length, "alert")}
        </Tile>
      </SimpleGrid>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Stack gap="sm" className="surface" p="md">
          <Title order={2}>Used of all machines</Title>
          {use.chart ? (
            <TimeChart label="What was used of all machines in six hours" {...use.chart} />
          ) : use.known ? (
            <Text size="sm" c="dimmed">
              Nothing was measured yet.
            </Text>
          ) : (
            <Skeleton height={180} />
          )}
        </Stack>
        <Revenue seller={seller} />
        <PlacesRoom />
        <Attention alerts={alerts} />
      </SimpleGrid>
      <Title order={2}>Tenants</Title>
      {seller === undefined && sellers.data ? (
        <Text size="sm" c="dimmed">
          Revenue is shown once there is a seller, who writes the invoices.
        </Text>
      ) : null}
      <DataTable
        label="Tenants"
        columns={COLUMNS}
        rows={customers(names, busy.data, months)}
        rowKey={({ name }) => name}
      />
    </Stack>
  );
}

const MOST = 12;

const COLUMNS: TableColumn<Customer>[] = [
  {
    id: "name",
    title: "Tenant",
    cell: ({ name }) => (
      <Anchor component={Link} to={`/${encodeURIComponent(name)}`} size="sm">
        {name}
      </Anchor>
    ),
  },
  { id: "tasks", title: "Tasks now", right: true, cell: ({ tasks }) => tasks },
  {
    id: "used",
    title: "Used this month",
    right: true,
    cell: ({ used, currency }) =>
      currency ? rough(used, currency) : <span className="none">–</span>,
  },
];

/** Those who use most, first. */
function customers(names: string[], busy: Busy | undefined, months: Earned[]): Customer[] {
  return names
    .map((name) => {
      const own = months.filter(({ tenant }) => tenant === name);
      return {
        name,
        tasks: busy?.tenants.find((tenant) => tenant.name === name)?.tasks ?? 0,
        used: sum(own.map(({ usedNano }) => usedNano)),
        currency: own[0]?.currency ?? "",
      };
    })
    .sort((a, b) => Number(b.used - a.used) || b.tasks - a.tasks)
    .slice(0, MOST);
}

function runs(busy: Busy | undefined): string {
  return busy ? `${counted(Number(sum(busy.tenants.map(({ tasks }) => tasks))), "task")} run` : "";
}

function connected(sites: readonly { status?: Record<string, unknown> }[] | undefined): string {
  const away = (sites ?? []).filter(({ status }) => !isThere(status)).length;
  return away ? `${away} not connected` : "all connected";
}

/** A site is there by itself, or by a machine that joined it. */
function isThere(status: Record<string, unknown> | undefined): boolean {
  const hosts = status?.hosts as { connected?: number } | undefined;
  return status?.phase === "connected" || (hosts?.connected ?? 0) > 0;
}

function health(status: Status | undefined) {
  if (!status) return "";
  const said = status.ledger.balanced ? "The ledger is balanced" : "The ledger is NOT balanced";
  return (
    <Group gap={4}>
      {said}; {size(status.disk.freeBytes)} of disk free
    </Group>
  );
}
