/** A table: sortable heads, rows that can be chosen, never wider than its page. */
import { Checkbox, Table, UnstyledButton } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./DataTable.module.css";
import { Icon } from "./Icon";

export interface TableColumn<T> {
  id: string;
  title: string;
  cell: (row: T) => ReactNode;
  /** What the server sorts by; none: it can't be sorted by this. */
  sort?: string;
  /** Numbers and money stand at the right. */
  right?: boolean;
}

interface Props<T> {
  /** What the table is of, for those who can't see it. */
  label: string;
  columns: readonly TableColumn<T>[];
  rows: readonly T[];
  rowKey: (row: T) => string;
  sort?: string;
  onSort?: (sort: string) => void;
  chosen?: ReadonlySet<string>;
  onChosen?: (chosen: ReadonlySet<string>) => void;
  /** What is behind them comes: they are shown fainter meanwhile. */
  stale?: boolean;
}

export function DataTable<T>(props: Props<T>) {
  const { label, columns, rows, rowKey, chosen, onChosen, stale } = props;
  const keys = rows.map(rowKey);
  const all = keys.length > 0 && keys.every((key) => chosen?.has(key));
  return (
    <Table.ScrollContainer
      minWidth={columns.length * 105}
      type="native"
      className={`surface ${classes.scroll}`}
      tabIndex={0}
      role="region"
      aria-label={label}
    >
      <Table
        highlightOnHover
        role="table"
        className={classes.table}
        data-stale={stale || undefined}
      >
        <Table.Thead role="rowgroup">
          <Table.Tr role="row">
            {chosen ? (
              <Table.Th w={36} role="columnheader">
                <Checkbox
                  size="xs"
                  aria-label="Choose all on this page"
                  checked={all}
                  indeterminate={!all && keys.some((key) => chosen.has(key))}
                  onChange={() => onChosen?.(new Set(all ? [] : keys))}
                />
              </Table.Th>
            ) : null}
            {columns.map((column) => (
              <Head key={column.id} column={column} sort={props.sort} onSort={props.onSort} />
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody role="rowgroup">
          {rows.map((row, index) => (
            <Table.Tr
              key={keys[index]}
              role="row"
              data-selected={chosen?.has(keys[index] ?? "") || undefined}
            >
              {chosen ? (
                <Table.Td role="cell">
                  <Checkbox
                    size="xs"
                    aria-label={`Choose ${keys[index]}`}
                    checked={chosen.has(keys[index] ?? "")}
                    onChange={() => onChosen?.(toggled(chosen, keys[index] ?? ""))}
                  />
                </Table.Td>
              ) : null}
              {columns.map((column, place) => (
                <Table.Td
                  key={column.id}
                  role="cell"
                  data-label={column.title}
                  data-first={place === 0 || undefined}
                  className={column.right ? classes.right : undefined}
                >
                  {column.cell(row)}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function toggled(chosen: ReadonlySet<string>, key: string): ReadonlySet<string> {
  const next = new Set(chosen);
  if (!next.delete(key)) next.add(key);
  return next;
}

interface HeadProps<T> {
  column: TableColumn<T>;
  sort: string | undefined;
  onSort: ((sort: string) => void) | undefined;
}

function Head<T>({ column, sort, onSort }: HeadProps<T>) {
  const { title, right } = column;
  const by = column.sort;
  const up = sort === by;
  const down = sort === `-${by}`;
  const className = right ? classes.right : undefined;
  if (!by || !onSort) {
    return (
      <Table.Th role="columnheader" className={className}>
        {title}
      </Table.Th>
    );
  }
  return (
    <Table.Th
      role="columnheader"
      className={className}
      aria-sort={up ? "ascending" : down ? "descending" : undefined}
    >
      <UnstyledButton className={classes.sort} onClick={() => onSort(up ? `-${by}` : by)}>
        {title}
        <Icon name={down ? "down" : "up"} size={13} style={{ opacity: up || down ? 1 : 0.25 }} />
      </UnstyledButton>
    </Table.Th>
  );
}
