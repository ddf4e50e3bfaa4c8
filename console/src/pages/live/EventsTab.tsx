/** Who did what with it, newest first; each can be checked against the signed log. */
import { Anchor, Button, Group, Stack } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { api, withQuery } from "~/api/http";
import { useHappenings } from "~/api/live";
import { DataTable, type TableColumn } from "~/parts/DataTable";
import { EmptyState } from "~/parts/EmptyState";
import { Equivalent } from "~/parts/Equivalent";
import { ProblemAlert } from "~/parts/ProblemAlert";
import { RowsSkeleton } from "~/parts/Skeletons";
import { Ago } from "~/parts/Values";
import type { TabProps } from "~/shell/areas";
import { useAddress } from "~/shell/scope";
import { doneTo, type Event, type Events, eventsPath, LIMIT, who } from "../audit/events";

export default function EventsTab({ resource }: TabProps) {
  const { ref, tenant = "" } = resource.metadata;
  const path = eventsPath(tenant);
  const query = { search: ref, limit: LIMIT };
  const found = useInfiniteQuery({
    queryKey: ["events", ref],
    queryFn: ({ pageParam, signal }) =>
      api.get<Events>(path, { ...query, cursor: pageParam }, signal),
    initialPageParam: "",
    getNextPageParam: (last) => last.next,
  });
  useHappenings((event) => {
    if (event.ref === ref) void found.refetch();
  });
  const events = (found.data?.pages ?? [])
    .flatMap(({ items }) => items)
    // What has a longer name that begins the same is another thing.
    .filter((event) => event.ref === ref || event.ref.startsWith(`${ref}/`));
  return (
    <Stack gap="md">
      {found.isError && !found.data ? (
        <ProblemAlert error={found.error} retry={() => void found.refetch()} />
      ) : !found.data ? (
        <RowsSkeleton />
      ) : events.length === 0 ? (
        <EmptyState icon="audit" title="Nothing is on record yet" />
      ) : (
        <Listed events={events} />
      )}
      {found.hasNextPage ? (
        <Group>
          <Button
            variant="default"
            size="xs"
            loading={found.isFetchingNextPage}
            onClick={() => void found.fetchNextPage()}
          >
            Earlier
          </Button>
        </Group>
      ) : null}
      <Equivalent
        command={["audit", "log", "--search", ref]}
        call={{ method: "GET", path: withQuery(path, query) }}
      />
    </Stack>
  );
}

function Listed({ events }: { events: readonly Event[] }) {
  const { page } = useAddress();
  const columns: TableColumn<Event>[] = [
    { id: "at", title: "When", cell: (event) => <Ago at={event.at} /> },
    { id: "who", title: "Who", cell: (event) => who(event.actor) },
    { id: "did", title: "Did", cell: (event) => doneTo(event) },
    {
      id: "entry",
      title: "Entry",
      right: true,
      cell: (event) => (
        <Anchor component={Link} size="sm" to={page(`audit/${event.position}`)}>
          Check {event.position}
        </Anchor>
      ),
    },
  ];
  return (
    <DataTable
      label="Who did what with it"
      columns={columns}
      rows={events}
      rowKey={(event) => String(event.position)}
    />
  );
}
