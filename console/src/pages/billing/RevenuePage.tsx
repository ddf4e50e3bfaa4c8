/** For the operator: what all tenants used, were invoiced and owe. */
import { Anchor, Group, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { useMemo } from "react";
import { Link } from "react-router";
import { asProblem } from "~/api/problem";
import { useRoom } from "~/api/queries";
import { useSignedIn } from "~/api/session";
import { DataTable, type TableColumn } from "~/parts/DataTable";
import { EmptyState } from "~/parts/EmptyState";
import { Equivalent } from "~/parts/Equivalent";
import { money, type Nano } from "~/parts/formats";
import { PageHead } from "~/parts/PageHead";
import { ProblemAlert } from "~/parts/ProblemAlert";
import { PageSkeleton, RowsSkeleton } from "~/parts/Skeletons";
import { StateBadge } from "~/parts/StateBadge";
import { at } from "~/shell/scope";
import { amount, sum } from "./amounts";
import { Fact } from "./Fact";
import { stacked } from "./grouping";
import { Sections } from "./Sections";
import { StackedBars } from "./StackedBars";

interface Month {
  period: string;
  tenant: string;
  currency: string;
  usedNano: Nano;
  invoicedNano: Nano;
  openNano: Nano;
}

interface Day {
  at: string;
  tenant: string;
  product: string;
  currency: string;
  amountNano: Nano;
}

interface Registered {
  number: string;
  type: string;
  tenant: string;
  period: string;
  dueOn: string;
  gross: string;
  open: string;
  currency: string;
  phase: string;
}

const SELLER = "/providers/skerry.billing/v1/sellers/main";

export default function RevenuePage() {
  const { operator } = useSignedIn();
  const months = useRoom<{ items: Month[] }>(
    `${SELLER}/revenue`,
    {},
    { enabled: operator, refresh: 60 },
  );
  const missing = months.isError && asProblem(months.error).status === 404;
  return (
    <Stack gap="lg">
      <PageHead title="All tenants" about="What all tenants used, were invoiced and owe." />
      <Sections />
      {operator ? null : (
        <EmptyState icon="billing" title="Only the operator of this cloud sees all tenants" />
      )}
      {missing ? <NoSeller /> : null}
      {months.isError && !missing && !months.data ? <ProblemAlert error={months.error} /> : null}
      {operator && !months.data && !months.isError ? <PageSkeleton /> : null}
      {months.data ? (
        <>
          <Facts months={months.data.items} />
          <ByDay />
          <Months months={months.data.items} />
          <Register />
        </>
      ) : null}
      <Equivalent
        command={["seller", "revenue", "main"]}
        global
        call={{ method: "GET", path: `${SELLER}/revenue` }}
        also={[
          {
            command: ["seller", "revenue", "main", "--step", "day", "--from", "-30d"],
            global: true,
            call: { method: "GET", path: `${SELLER}/revenue?step=day&from=-30d` },
          },
          {
            command: ["invoice", "register"],
            global: true,
            call: { method: "GET", path: `${SELLER}/register` },
          },
        ]}
      />
    </Stack>
  );
}

function NoSeller() {
  return (
    <EmptyState icon="billing" title="Who sells is not known yet">
      Say it under Terms and credit; then revenue and invoices stand here.
    </EmptyState>
  );
}

function Facts({ months }: { months: readonly Month[] }) {
  const currency = months[0]?.currency ?? "";
  const newest = months[0]?.period ?? "";
  const now = months.filter((one) => one.period === newest);
  return (
    <SimpleGrid cols={{ base: 2, sm: 4 }} spacing="sm">
      <Fact
        label={newest ? `Used in ${newest}` : "Used"}
        value={money(sum(now.map((one) => one.usedNano)), currency)}
        note="before tax"
      />
      <Fact label="Tenants that used something" value={String(now.length)} />
      <Fact
        label="Invoiced, all months"
        value={money(sum(months.map((one) => one.invoicedNano)), currency)}
        note="before tax, less credit notes"
      />
      <Fact
        label="Open"
        value={money(sum(months.map((one) => one.openNano)), currency)}
        note="with tax"
      />
    </SimpleGrid>
  );
}

function ByDay() {
  const found = useRoom<{ items: Day[] }>(
    `${SELLER}/revenue`,
    { step: "day", from: "-30d" },
    { refresh: 60 },
  );
  const { data } = found;
  const stack = useMemo(() => {
    if (!data) return undefined;
    const to = new Date();
    const from = new Date(to.getTime() - 30 * 86_400_000);
    return stacked(data.items, (one) => one.tenant, { from, to, step: "day" });
  }, [data]);
  return (
    <Stack gap="sm">
      <Title order={2}>Charged by day</Title>
      {found.isError && !data ? <ProblemAlert error={found.error} /> : null}
      {stack && stack.names.length > 0 ? (
        <StackedBars
          label="Charged in the last 30 days, by tenant"
          stack={stack}
          step="day"
          currency={data?.items[0]?.currency ?? ""}
        />
      ) : null}
      {stack?.names.length === 0 ? (
        <Text size="sm" c="dimmed">
          Nothing was charged in the last 30 days.
        </Text>
      ) : null}
    </Stack>
  );
}

function TenantLink({ name, page }: { name: string; page: string }) {
  return (
    <Anchor component={Link} to={at({ tenant: name, workspace: "" }, page)} size="sm">
      {name}
    </Anchor>
  );
}

function Months({ months }: { months: readonly Month[] }) {
  const nano = (id: "usedNano" | "invoicedNano" | "openNano", title: string) => ({
    id,
    title,
    right: true,
    cell: (one: Month) => <span className="tabular">{money(one[id], one.currency)}</span>,
  });
  const columns: TableColumn<Month>[] = [
    { id: "period", title: "Month", cell: (one) => one.period },
    {
      id: "tenant",
      title: "Tenant",
      cell: (one) => <TenantLink name={one.tenant} page="billing" />,
    },
    nano("usedNano", "Used"),
    nano("invoicedNano", "Invoiced"),
    nano("openNano", "Open, with tax"),
  ];
  return (
    <Stack gap="sm">
      <Title order={2}>By month</Title>
      <DataTable
        label="By month"
        columns={columns}
        rows={months.slice(0, 200)}
        rowKey={(one) => `${one.period} ${one.tenant}`}
      />
    </Stack>
  );
}

/** All that was issued, by number. */
function Register() {
  const found = useRoom<{ items: Registered[] }>(`${SELLER}/register`, {}, { refresh: 60 });
  const columns: TableColumn<Registered>[] = [
    {
      id: "number",
      title: "Number",
      cell: (one) => (
        <Anchor
          component={Link}
          size="sm"
          to={at(
            { tenant: one.tenant, workspace: "" },
            `kinds/invoice/${one.number.toLowerCase()}`,
          )}
        >
          {one.number}
        </Anchor>
      ),
    },
    { id: "tenant", title: "Tenant", cell: (one) => one.tenant },
    { id: "period", title: "For", cell: (one) => one.period },
    { id: "due", title: "Due", cell: (one) => (one.type === "invoice" ? one.dueOn : "–") },
    { id: "phase", title: "Phase", cell: (one) => <StateBadge state={one.phase} /> },
    {
      id: "gross",
      title: "With tax",
      right: true,
      cell: (one) => <span className="tabular">{amount(one.gross, one.currency)}</span>,
    },
    {
      id: "open",
      title: "Open",
      right: true,
      cell: (one) => <span className="tabular">{amount(one.open, one.currency)}</span>,
    },
  ];
  return (
    <Stack gap="sm">
      <Group justify="space-between">
        <Title order={2}>Register</Title>
        <Text size="sm" c="dimmed">
          Issue a month's invoices: <code>skerry invoice issue --period MONTH</code>
        </Text>
      </Group>
      {found.isError && !found.data ? <ProblemAlert error={found.error} /> : null}
      {!found.data && !found.isError ? <RowsSkeleton /> : null}
      {found.data ? (
        <DataTable
          label="Register"
          columns={columns}
          rows={found.data.items.toReversed().slice(0, 200)}
          rowKey={(one) => one.number}
        />
      ) : null}
    </Stack>
  );
}
