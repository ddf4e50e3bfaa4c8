/** Who did what with it, newest first; each can be checked against the signed log. */
import { Anchor, Button, Group, Stack, Table, Text } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { api, withQuery } from "~/api/http";
import { useHappenings } from "~/api/live";
import { EmptyState } from "~/parts/EmptyState";
import { Equivalent } from "~/parts/Equivalent";
import { ProblemAlert } from "~/parts/ProblemAlert";
import { RowsSkeleton } from "~/parts/Skeletons";
import { Ago } from "~/parts/Values";
import type { TabProps } from "~/shell/areas";
import { useAddress } from "~/shell/scope";
import { doneWord, type Event, type Events, eventsPath, LIMIT, who } from "../audit/events";

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
  return (
    <Table.ScrollContainer type="native" minWidth={320} className="surface" tabIndex={0}>
      <Table verticalSpacing={6}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>When</Table.Th>
            <Table.Th>Who</Table.Th>
            <Table.Th>Did</Table.Th>
            <Table.Th>Entry</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {events.map((event) => (
            <Table.Tr key={event.position}>
              <Table.Td style={{ whiteSpace: "nowrap" }}>
                <Ago at={event.at} />
              </Table.Td>
              <Table.Td>{who(event.actor)}</Table.Td>
              <Table.Td>
                <Text size="sm" component="span">
                  {event.kind === "look"
                    ? `read its ${event.verb}`
                    : doneWord(event.verb, event.version)}
                </Text>
              </Table.Td>
              <Table.Td>
                <Anchor component={Link} size="sm" to={page(`audit/${event.position}`)}>
                  {event.position}
                </Anchor>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
