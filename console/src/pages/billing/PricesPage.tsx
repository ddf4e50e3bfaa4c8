/** The price list on one page, to be read aloud, and what this tenant pays differently. */
import { Button, Group, Select, Stack, Table, Text, Title } from "@mantine/core";
import { useSearchParams } from "react-router";
import { useCatalogue } from "~/api/catalogue";
import { pathOf, useList } from "~/api/queries";
import type { Document } from "~/api/types";
import { EmptyState } from "~/parts/EmptyState";
import { Equivalent } from "~/parts/Equivalent";
import { Icon } from "~/parts/Icon";
import { PageHead } from "~/parts/PageHead";
import { ProblemAlert } from "~/parts/ProblemAlert";
import { PageSkeleton } from "~/parts/Skeletons";
import { useScope } from "~/shell/scope";
import { printed } from "./amounts";
import { day } from "./documents";
import classes from "./PricesPage.module.css";
import { type PriceEntry, sections } from "./prices";
import { Sections } from "./Sections";

interface PriceList extends Document {
  status?: Document["status"] & {
    phase?: string;
    currency?: string;
    effectiveAt?: string;
    prices?: PriceEntry[];
  };
}

export default function PricesPage() {
  const kind = useCatalogue().kind("price-list");
  const found = useList<PriceList>(kind, useScope(), { limit: 100 });
  const [query, setQuery] = useSearchParams();
  const lists = found.data?.items ?? [];
  const current = lists.find((one) => one.status?.phase === "current");
  const shown = lists.find((one) => one.metadata.name === query.get("list")) ?? current ?? lists[0];
  return (
    <Stack gap="md">
      <PageHead
        title="Prices"
        about="What one of each costs, before tax. What runs keeps the price it started with; what is not listed is not sold."
      >
        {shown ? (
          <Button
            variant="default"
            className="no-print"
            leftSection={<Icon name="external" size={16} />}
            onClick={() => window.print()}
          >
            Print
          </Button>
        ) : null}
      </PageHead>
      <Sections />
      {found.isError && !found.data ? (
        <ProblemAlert error={found.error} retry={() => void found.refetch()} />
      ) : null}
      {!found.data && !found.isError ? <PageSkeleton /> : null}
      {found.data && !shown ? (
        <EmptyState icon="billing" title="No price list holds yet">
          The operator loads one when the cloud is started: skerry up --prices FILE.
        </EmptyState>
      ) : null}
      {lists.length > 1 && shown ? (
        <Select
          label="Version"
          className="no-print"
          maw={320}
          allowDeselect={false}
          data={lists.map(({ metadata, status }) => ({
            value: metadata.name,
            label: `${metadata.name}, from ${day((status?.effectiveAt ?? "").slice(0, 10))} (${status?.phase})`,
          }))}
          value={shown.metadata.name}
          onChange={(name) => name && setQuery({ list: name }, { replace: true })}
        />
      ) : null}
      {shown ? <Shown list={shown} /> : null}
      <Agreed />
      {shown ? (
        <Equivalent
          command={["price-list", "get", shown.metadata.name]}
          call={{ method: "GET", path: pathOf(shown.metadata.ref) }}
        />
      ) : null}
    </Stack>
  );
}

function Shown({ list }: { list: PriceList }) {
  const { currency = "", effectiveAt = "", prices = [] } = list.status ?? {};
  return (
    <>
      <Text size="sm">
        In {currency}, from {day(effectiveAt.slice(0, 10))} on.
      </Text>
      <Group align="flex-start" gap="lg">
        {sections(prices).map(({ title, entries }) => (
          <div key={title} className={`surface ${classes.list}`}>
            <Table aria-label={title} verticalSpacing={5}>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th colSpan={3}>{title}</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {entries.map((one) => (
                  <Table.Tr key={`${one.what} ${one.per}`}>
                    <Table.Td>{one.what}</Table.Td>
                    <Table.Td c="dimmed">{one.per}</Table.Td>
                    <Table.Td ta="right" className="tabular" style={{ whiteSpace: "nowrap" }}>
                      {Number(one.price) === 0 ? "free" : `${printed(one.price)} ${currency}`}
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </div>
        ))}
      </Group>
    </>
  );
}

interface Agreement extends Document {
  status?: Document["status"] & { phase?: string; words?: string };
}

/** What is agreed with this tenant and holds now. */
function Agreed() {
  const { tenant } = useScope();
  const kind = useCatalogue().kind("agreement");
  const found = useList<Agreement>(kind, useScope(), { limit: 100 });
  const now = found.data?.items.filter((one) => one.status?.phase === "current") ?? [];
  if (now.length === 0) return null;
  return (
    <Stack gap="xs">
      <Title order={2}>Agreed with {tenant}</Title>
      <ul className={classes.agreed}>
        {now.map((one) => (
          <li key={one.metadata.ref}>{one.status?.words}</li>
        ))}
      </ul>
    </Stack>
  );
}
