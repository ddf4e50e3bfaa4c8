/** Who did what in a tenant, newest first; each entry can be checked against the signed log. */
import { Anchor, Badge, Button, Group, Stack, Text } from "@mantine/core";
import { useThrottledCallback } from "@mantine/hooks";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useSearchParams } from "react-router";
import { useHappenings } from "~/api/live";
import { useRoom } from "~/api/queries";
import { DataTable, type TableColumn } from "~/parts/DataTable";
import { EmptyState } from "~/parts/EmptyState";
import { Equivalent } from "~/parts/Equivalent";
import { Icon } from "~/parts/Icon";
import { PageHead } from "~/parts/PageHead";
import { ProblemAlert } from "~/parts/ProblemAlert";
import { RowsSkeleton } from "~/parts/Skeletons";
import { Ago } from "~/parts/Values";
import { useAddress, useScope } from "~/shell/scope";
import { ExportButton } from "./ExportButton";
import {
  asked,
  commandOf,
  doneWord,
  type Event,
  type Events,
  eventsPath,
  FILTERS,
  type Filters,
  fromOutside,
  LIMIT,
  short,
  who,
} from "./events";
import { FilterBar } from "./FilterBar";

export default function AuditPage() {
  const { tenant } = useScope();
  const [query, setQuery] = useSearchParams();
  const [cursors, setCursors] = useState<string[]>([]);
  const filters = Object.fromEntries(
    FILTERS.map((name) => [name, query.get(name) ?? ""]),
  ) as unknown as Filters;
  const path = eventsPath(tenant);
  const found = useRoom<Events>(path, asked(filters, { limit: LIMIT, cursor: cursors.at(-1) }));
  useFresh(path, cursors.length === 0);
  const narrowed = FILTERS.some((name) => filters[name] !== "");
  const change = (some: Partial<Filters>): void => {
    setCursors([]);
    const all = Object.entries({ ...filters, ...some }).filter(([, value]) => value !== "");
    setQuery(new URLSearchParams(all), { replace: true });
  };
  return (
    <Stack gap="md">
      <PageHead
        title="Audit"
        about="Who did what here, newest first. Each entry is a leaf of a log that the operator signs and can't rewrite: open one to check that in this browser."
      >
        <ExportButton />
      </PageHead>
      <FilterBar filters={filters} change={change} />
      <Found found={found} narrowed={narrowed} clear={() => setQuery({}, { replace: true })} />
      <Pages next={found.data?.next} cursors={cursors} setCursors={setCursors} />
      <Equivalent
        command={commandOf(filters)}
        call={{
          method: "GET",
          path: `${path}?${new URLSearchParams({ ...(asked(filters) as Record<string, string>), limit: String(LIMIT) })}`,
        }}
      />
    </Stack>
  );
}

/** The newest page is asked for again when something happens. */
function useFresh(path: string, newest: boolean): void {
  const client = useQueryClient();
  const again = useThrottledCallback(
    () => void client.invalidateQueries({ queryKey: ["room", path] }),
    1000,
  );
  useHappenings(() => {
    if (newest) again();
  });
}

interface FoundProps {
  found: ReturnType<typeof useRoom<Events>>;
  narrowed: boolean;
  clear: () => void;
}

function Found({ found, narrowed, clear }: FoundProps) {
  const columns = useColumns();
  if (found.isError) return <ProblemAlert error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <RowsSkeleton />;
  if (found.data.items.length === 0) {
    return narrowed ? (
      <EmptyState
        icon="search"
        title="Nothing of that was done"
        action={
          <Button variant="default" onClick={clear}>
            Show all
          </Button>
        }
      />
    ) : (
      <EmptyState icon="audit" title="Nothing has happened yet">
        What people and programs do here stands here from then on.
      </EmptyState>
    );
  }
  return (
    <DataTable
      label="What was done"
      columns={columns}
      rows={found.data.items}
      rowKey={(item) => String(item.position)}
      stale={found.isPlaceholderData}
    />
  );
}

function useColumns(): TableColumn<Event>[] {
  const { tenant } = useScope();
  const { page, resource } = useAddress();
  return [
    { id: "at", title: "When", cell: ({ at }) => <Ago at={at} /> },
    {
      id: "actor",
      title: "Who",
      cell: ({ actor, address }) => (
        <Group gap={6} wrap="nowrap">
          <Text size="sm">
            {who(actor)}
            {address ? <Text span c="dimmed" size="sm">{` from ${address}`}</Text> : null}
          </Text>
          {fromOutside(actor, tenant) ? (
            <Badge size="sm" variant="outline" color="orange" c="var(--skerry-warn)">
              from outside
            </Badge>
          ) : null}
        </Group>
      ),
    },
    {
      id: "what",
      title: "Did what",
      cell: ({ verb, kind, version }) => (
        <Text size="sm">
          {doneWord(verb, version)} <Text span c="dimmed" size="sm">{`${kind}`}</Text>
        </Text>
      ),
    },
    {
      id: "of",
      title: "Of",
      cell: ({ ref }) => {
        const to = resource(ref);
        return to ? (
          <Anchor component={Link} to={to} size="sm" title={ref}>
            {short(ref)}
          </Anchor>
        ) : (
          <Text size="sm" className="mono" title={ref}>
            {short(ref)}
          </Text>
        );
      },
    },
    {
      id: "position",
      title: "Entry",
      right: true,
      cell: ({ position }) => (
        <Anchor
          component={Link}
          to={page(`audit/${position}`)}
          size="sm"
          className="tabular"
          style={{ whiteSpace: "nowrap" }}
        >
          Check {position}
        </Anchor>
      ),
    },
  ];
}

interface PagesProps {
  next: string | undefined;
  cursors: string[];
  setCursors: (cursors: string[]) => void;
}

function Pages({ next, cursors, setCursors }: PagesProps) {
  if (cursors.length === 0 && !next) return null;
  return (
    <Group gap="xs" justify="flex-end">
      <Button
        variant="default"
        size="xs"
        disabled={cursors.length === 0}
        onClick={() => setCursors(cursors.slice(0, -1))}
        leftSection={<Icon name="left" size={14} />}
      >
        Newer
      </Button>
      <Button
        variant="default"
        size="xs"
        disabled={!next}
        onClick={() => next && setCursors([...cursors, next])}
        rightSection={<Icon name="right" size={14} />}
      >
        Older
      </Button>
    </Group>
  );
}
