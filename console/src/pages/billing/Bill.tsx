/** A month's bill: what was used, lease by lease, summed up by what it was. */
import { Stack, Table, Text, Title } from "@mantine/core";
import { useMemo } from "react";
import { RefLink } from "~/parts/cells";
import { money } from "~/parts/formats";
import { amount, nanoOf, printed, sum } from "./amounts";
import type { BillDocument, BillLine } from "./documents";
import classes from "./Paper.module.css";

const MOST = 50;

export function Bill({ bill }: { bill: BillDocument }) {
  const groups = useMemo(() => grouped(bill.lines), [bill.lines]);
  const { currency } = bill;
  return (
    <Stack gap="lg">
      <Table.ScrollContainer minWidth={480} type="native" tabIndex={0} className="surface">
        <Table aria-label="By workspace and product" className={classes.figures}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Workspace</Table.Th>
              <Table.Th>What</Table.Th>
              <Table.Th ta="right">Quantity</Table.Th>
              <Table.Th ta="right">Price</Table.Th>
              <Table.Th ta="right">{currency}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {groups.map((group) => (
              <Table.Tr key={group.key}>
                <Table.Td>{group.first.workspace}</Table.Td>
                <Table.Td>
                  {group.first.product}: {group.first.meter} {group.first.sku}
                  {group.first.adjusts ? ` (for ${group.first.adjusts})` : ""}
                </Table.Td>
                <Table.Td ta="right">
                  {money(group.quantity)} {group.first.unit}
                </Table.Td>
                <Table.Td ta="right">{printed(group.first.unitPrice)}</Table.Td>
                <Table.Td ta="right">{money(group.amount)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
          <Table.Tfoot>
            <Table.Tr>
              <Table.Th colSpan={4}>Total before tax</Table.Th>
              <Table.Th ta="right">{amount(bill.total, currency)}</Table.Th>
            </Table.Tr>
          </Table.Tfoot>
        </Table>
      </Table.ScrollContainer>
      <Title order={2}>Each lease</Title>
      {bill.lines.length > MOST ? (
        <Text size="sm" c="dimmed">
          The {MOST} most expensive of {bill.lines.length}; the download has all.
        </Text>
      ) : null}
      <Leases lines={bill.lines} />
    </Stack>
  );
}

function Leases({ lines }: { lines: readonly BillLine[] }) {
  const shown = useMemo(
    () =>
      lines
        .toSorted((one, other) => (nanoOf(one.exact) < nanoOf(other.exact) ? 1 : -1))
        .slice(0, MOST),
    [lines],
  );
  return (
    <Table.ScrollContainer minWidth={620} type="native" tabIndex={0} className="surface">
      <Table aria-label="Each lease" className={classes.figures}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>For</Table.Th>
            <Table.Th>Meter</Table.Th>
            <Table.Th>From</Table.Th>
            <Table.Th>To</Table.Th>
            <Table.Th ta="right">Quantity</Table.Th>
            <Table.Th ta="right">Amount</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {shown.map((line) => (
            <Table.Tr key={`${line.lease} ${line.meter} ${line.sku} ${line.start}`}>
              <Table.Td>
                <RefLink to={line.resource} />
              </Table.Td>
              <Table.Td>
                {line.meter} {line.sku}
              </Table.Td>
              <Table.Td className="tabular">{minute(line.start)}</Table.Td>
              <Table.Td className="tabular">{minute(line.end)}</Table.Td>
              <Table.Td ta="right">
                {money(nanoOf(line.quantity))} {line.unit}
              </Table.Td>
              <Table.Td ta="right">{money(nanoOf(line.exact))}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

/** A time of the bill, in UTC as it is billed. */
function minute(text: string): string {
  return `${text.slice(0, 10)} ${text.slice(11, 16)}`;
}

export interface Group {
  key: string;
  first: BillLine;
  quantity: bigint;
  amount: bigint;
}

/** Lines of one thing at one price in a workspace, together: as the invoice has them. */
export function grouped(lines: readonly BillLine[]): Group[] {
  const groups = Map.groupBy(lines, (line) =>
    [line.workspace, line.product, line.meter, line.sku, line.unitPrice, line.adjusts].join("\n"),
  );
  return [...groups]
    .sort(([one], [other]) => one.localeCompare(other))
    .flatMap(([key, found]) => {
      const [first] = found;
      if (!first) return [];
      return [
        {
          key,
          first,
          quantity: sum(found.map((line) => nanoOf(line.quantity))),
          amount: sum(found.map((line) => nanoOf(line.amount))),
        },
      ];
    });
}
