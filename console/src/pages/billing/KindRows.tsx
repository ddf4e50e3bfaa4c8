/** The resources of a kind of which there are few: all at once, without search. */
import { Anchor, Text } from "@mantine/core";
import { Link } from "react-router";
import { capital, type Kind, plural, useCatalogue } from "~/api/catalogue";
import { useList } from "~/api/queries";
import type { Document, Schema } from "~/api/types";
import { Cell, columnsOf } from "~/parts/cells";
import { DataTable, type TableColumn } from "~/parts/DataTable";
import { ProblemAlert } from "~/parts/ProblemAlert";
import { RowsSkeleton } from "~/parts/Skeletons";
import { useAddress, useScope } from "~/shell/scope";
import { amount } from "./amounts";

const MOST = 200;

export function KindRows({ kind, currency }: { kind: Kind; currency: string }) {
  const found = useList(kind, useScope(), { limit: MOST });
  const { resource, page } = useAddress();
  const catalogue = useCatalogue();
  if (found.isError && !found.data) {
    return <ProblemAlert error={found.error} retry={() => void found.refetch()} />;
  }
  if (!found.data) return <RowsSkeleton rows={2} />;
  const { items, metadata } = found.data;
  if (items.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        There are none.
      </Text>
    );
  }
  const first: TableColumn<Document> = {
    id: "name",
    title: "Name",
    cell: (one) => (
      <Anchor component={Link} to={resource(one.metadata.ref) ?? "."} size="sm" fw={560}>
        {one.metadata.name}
      </Anchor>
    ),
  };
  // What was left at its default is not sent along.
  const defaults = defaultsOf(catalogue.resolve(kind.spec));
  const filled = (one: Document): Document => ({ ...one, spec: { ...defaults, ...one.spec } });
  const own = columnsOf(kind, true).map(({ title, path }): TableColumn<Document> => {
    const isAmount = path.endsWith(".amount");
    return {
      id: path,
      title: capital(title.toLowerCase()),
      right: isAmount,
      cell: (one) =>
        isAmount && one.spec.amount ? (
          <span className="tabular">{amount(String(one.spec.amount), currency)}</span>
        ) : (
          <Cell document={filled(one)} path={path} />
        ),
    };
  });
  return (
    <>
      <DataTable
        label={capital(plural(kind))}
        columns={[first, ...own]}
        rows={items}
        rowKey={(one) => one.metadata.ref}
      />
      {metadata.skipToken ? (
        <Anchor component={Link} to={page(`kinds/${kind.noun}`)} size="sm">
          All {plural(kind)}
        </Anchor>
      ) : null}
    </>
  );
}

function defaultsOf(schema: Schema): Document["spec"] {
  const found = Object.entries(schema.properties ?? {}).map(([name, one]) => [name, one.default]);
  return Object.fromEntries(found.filter(([, value]) => value !== undefined));
}
