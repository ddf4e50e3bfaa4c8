/** What came in for an invoice, and the credit notes that correct it. */
import { Anchor, Group, Stack, Text, Title } from "@mantine/core";
import { Link } from "react-router";
import { useCatalogue } from "~/api/catalogue";
import { useView } from "~/api/queries";
import { DataTable, type TableColumn } from "~/parts/DataTable";
import { ProblemAlert } from "~/parts/ProblemAlert";
import { useAddress } from "~/shell/scope";
import { amount } from "./amounts";
import type { Payments } from "./documents";
import type { Invoice } from "./InvoicesPage";

export function Settled({ invoice }: { invoice: Invoice }) {
  const { ref } = invoice.metadata;
  const { status } = invoice;
  const currency = status?.currency ?? "";
  const kind = useCatalogue().kind("invoice");
  const found = useView<Payments>(kind, ref, "payments");
  if (status?.type !== "invoice") return null;
  const rows = found.data ? rowsOf(found.data) : [];
  return (
    <Stack gap="xs" className="no-print" maw="52rem">
      <Group justify="space-between">
        <Title order={2}>What became of it</Title>
        <Text fw={600} className="tabular">
          {amount(status.open, currency)} open
        </Text>
      </Group>
      {found.isError && !found.data ? <ProblemAlert error={found.error} /> : null}
      {found.data && rows.length === 0 ? (
        <Text size="sm" c="dimmed">
          Nothing was paid or credited of it yet.
        </Text>
      ) : null}
      {rows.length > 0 ? (
        <DataTable
          label="Payments and credit notes"
          columns={columnsOf(ref, currency)}
          rows={rows}
          rowKey={({ key }) => key}
        />
      ) : null}
    </Stack>
  );
}

function columnsOf(ref: string, currency: string): TableColumn<Row>[] {
  return [
    {
      id: "what",
      title: "What",
      cell: ({ note }) => (note ? <NoteLink of={ref} number={note} /> : "Payment"),
    },
    { id: "day", title: "On", cell: (row) => <span className="tabular">{row.day}</span> },
    { id: "words", title: "For", cell: (row) => row.words },
    {
      id: "amount",
      title: "Amount",
      right: true,
      cell: (row) => <span className="tabular">{amount(row.amount, currency)}</span>,
    },
  ];
}

function NoteLink({ of, number }: { of: string; number: string }) {
  const { resource } = useAddress();
  const to = resource(of.replace(/[^/]+$/, number.toLowerCase()));
  return (
    <Anchor component={Link} to={to ?? "."} size="sm">
      Credit note {number}
    </Anchor>
  );
}

interface Row {
  key: string;
  day: string;
  note?: string;
  words: string;
  amount: string;
}

/** Payments and notes as they came. */
export function rowsOf({ items, creditNotes }: Payments): Row[] {
  const paid = items.map((one) => ({
    key: `${one.receivedOn} ${one.reference} ${one.amount}`,
    day: one.receivedOn,
    words: one.reference,
    amount: one.amount,
  }));
  const notes = creditNotes.map((one) => ({
    key: one.number,
    day: one.issuedOn,
    note: one.number,
    words: one.reason,
    amount: one.gross,
  }));
  return [...paid, ...notes].sort((one, other) => one.day.localeCompare(other.day));
}
