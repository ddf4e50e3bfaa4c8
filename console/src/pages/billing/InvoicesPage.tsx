/** A tenant's invoices: what was issued, and each month's bill behind it. */
import { Anchor, Badge, Button, Group, Stack, Tooltip } from "@mantine/core";
import { Link } from "react-router";
import { collectionPath, useCatalogue } from "~/api/catalogue";
import { pathOf, useList } from "~/api/queries";
import type { Document } from "~/api/types";
import { DataTable, type TableColumn } from "~/parts/DataTable";
import { EmptyState } from "~/parts/EmptyState";
import { Equivalent } from "~/parts/Equivalent";
import { Icon } from "~/parts/Icon";
import { PageHead } from "~/parts/PageHead";
import { ProblemAlert } from "~/parts/ProblemAlert";
import { RowsSkeleton } from "~/parts/Skeletons";
import { StateBadge } from "~/parts/StateBadge";
import { download } from "~/parts/saving";
import { useAddress, useScope } from "~/shell/scope";
import { amount } from "./amounts";
import { Sections } from "./Sections";

export interface Invoice extends Document {
  spec: { number?: string };
  status?: Document["status"] & {
    type?: "bill" | "invoice" | "credit-note";
    phase?: string;
    number?: string;
    period?: string;
    total?: string;
    net?: string;
    vat?: string;
    open?: string;
    issuedOn?: string;
    dueOn?: string;
    corrects?: string;
    currency?: string;
  };
}

export const TYPES = { bill: "Month", invoice: "Invoice", "credit-note": "Credit note" };

export default function InvoicesPage() {
  const kind = useCatalogue().kind("invoice");
  const scope = useScope();
  const found = useList<Invoice>(kind, scope, { limit: 500, sort: "-created" });
  return (
    <Stack gap="md">
      <PageHead
        title="Invoices"
        about="What was issued to be paid, and each month with all that was used in it."
      />
      <Sections />
      {found.isError && !found.data ? (
        <ProblemAlert error={found.error} retry={() => void found.refetch()} />
      ) : null}
      {!found.data && !found.isError ? <RowsSkeleton /> : null}
      {found.data ? <Listed invoices={found.data.items} /> : null}
      <Equivalent
        command={["invoice", "list"]}
        call={{ method: "GET", path: collectionPath(kind, scope) }}
      />
    </Stack>
  );
}

function Listed({ invoices }: { invoices: Invoice[] }) {
  const { resource } = useAddress();
  if (invoices.length === 0) {
    return (
      <EmptyState icon="billing" title="There is no invoice yet">
        A month's bill begins with the first thing that costs something.
      </EmptyState>
    );
  }
  const columns: TableColumn<Invoice>[] = [
    {
      id: "name",
      title: "Number",
      cell: ({ metadata, status }) => (
        <Anchor component={Link} to={resource(metadata.ref) ?? "."} size="sm" fw={560}>
          {(status?.type === "bill" ? "" : status?.number) || metadata.name}
        </Anchor>
      ),
    },
    { id: "type", title: "What", cell: ({ status }) => <What invoice={status} /> },
    { id: "period", title: "For", cell: ({ status }) => status?.period },
    {
      id: "phase",
      title: "Phase",
      cell: ({ status }) => <StateBadge state={status?.phase ?? ""} />,
    },
    {
      id: "total",
      title: "Total",
      right: true,
      cell: ({ status }) => (
        <span className="tabular">{amount(status?.total, status?.currency)}</span>
      ),
    },
    {
      id: "open",
      title: "Open",
      right: true,
      cell: ({ status }) =>
        status?.type === "bill" ? (
          <span className="none">–</span>
        ) : (
          <span className="tabular">{amount(status?.open, status?.currency)}</span>
        ),
    },
    {
      id: "due",
      title: "Due",
      cell: ({ status }) =>
        status?.type === "invoice" ? status.dueOn : <span className="none">–</span>,
    },
    { id: "files", title: "Files", cell: (invoice) => <Files invoice={invoice} /> },
  ];
  return (
    <DataTable
      label="Invoices"
      columns={columns}
      rows={invoices}
      rowKey={(one) => one.metadata.ref}
    />
  );
}

function What({ invoice }: { invoice: Invoice["status"] }) {
  const type = invoice?.type ?? "bill";
  return (
    <Badge variant="default" tt="none" fw={500}>
      {TYPES[type]}
      {invoice?.corrects ? ` for ${invoice.corrects}` : ""}
    </Badge>
  );
}

function Files({ invoice }: { invoice: Invoice }) {
  const { name, ref } = invoice.metadata;
  const issued = invoice.status?.type !== "bill";
  const files = [
    ...(issued ? [{ view: "pdf", short: "PDF", label: "PDF", file: `${name}.pdf` }] : []),
    { view: "focus", short: "FOCUS", label: "FOCUS 1.2, Parquet", file: `${name}.parquet` },
  ];
  return (
    <Group gap={4} wrap="nowrap">
      {files.map(({ view, short, label, file }) => (
        <Tooltip key={view} label={`${label} of ${name}`}>
          <Button
            variant="default"
            size="compact-xs"
            aria-label={`Download ${label} of ${name}`}
            leftSection={<Icon name="download" size={13} />}
            onClick={() => void download(`${pathOf(ref)}/${view}`, file)}
          >
            {short}
          </Button>
        </Tooltip>
      ))}
    </Group>
  );
}
