/** Roles that were given, in words; auditors come for a time. */
import { Anchor, Badge, Button, Group, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { Link } from "react-router";
import { collectionPath, useCatalogue } from "~/api/catalogue";
import { useList } from "~/api/queries";
import type { Document } from "~/api/types";
import { DataTable, type TableColumn } from "~/parts/DataTable";
import { EmptyState } from "~/parts/EmptyState";
import { Equivalent } from "~/parts/Equivalent";
import { moment } from "~/parts/formats";
import { ProblemAlert } from "~/parts/ProblemAlert";
import { RowsSkeleton } from "~/parts/Skeletons";
import { useNow } from "~/parts/Values";
import { useAddress, useScope } from "~/shell/scope";
import { AuditorDialog } from "./AuditorDialog";
import { type Assignment, listed, mayOf, places, standing, subjects } from "./words";

const LIMIT = 200;

export function Access() {
  const catalogue = useCatalogue();
  const kind = catalogue.kind("role-assignment");
  const scope = useScope();
  const { page, list } = useAddress();
  const [inviting, setInviting] = useState(false);
  const found = useList(kind, scope, { limit: LIMIT, sort: "name" });
  const columns = useColumns();
  return (
    <Stack gap="sm">
      <Group gap="xs">
        <Button onClick={() => setInviting(true)}>Let an auditor in for a time</Button>
        <Button component={Link} to={page("create/role-assignment")} variant="default">
          Give a role
        </Button>
        <Button component={Link} to={list("role")} variant="subtle">
          Roles of your own
        </Button>
      </Group>
      {found.isError ? (
        <ProblemAlert error={found.error} retry={() => void found.refetch()} />
      ) : !found.data ? (
        <RowsSkeleton />
      ) : found.data.items.length === 0 ? (
        <EmptyState icon="people" title="No roles are given here">
          Only the operator may do anything in this tenant.
        </EmptyState>
      ) : (
        <DataTable
          label="Who may do what"
          columns={columns}
          rows={found.data.items}
          rowKey={(item) => item.metadata.ref}
          stale={found.isPlaceholderData}
        />
      )}
      {found.data?.metadata.skipToken ? (
        <Text size="sm" c="dimmed">
          The first {LIMIT} are shown.{" "}
          <Anchor component={Link} to={list(kind.noun)}>
            See all
          </Anchor>
        </Text>
      ) : null}
      <Equivalent
        command={["role-assignment", "list"]}
        call={{ method: "GET", path: collectionPath(kind, scope) }}
      />
      {inviting ? <AuditorDialog close={() => setInviting(false)} /> : null}
    </Stack>
  );
}

function useColumns(): TableColumn<Document>[] {
  const { tenant } = useScope();
  const { resource } = useAddress();
  const now = useNow();
  const of = (item: Document): Assignment => item.spec as unknown as Assignment;
  return [
    {
      id: "who",
      title: "Who",
      cell: (item) => (
        <Anchor component={Link} to={resource(item.metadata.ref) ?? "."} size="sm" fw={560}>
          {subjects(of(item).subs)}
        </Anchor>
      ),
    },
    {
      id: "may",
      title: "May",
      cell: (item) => <Text size="sm">{listed(of(item).roles.map(mayOf))}</Text>,
    },
    {
      id: "where",
      title: "Where",
      cell: (item) => <Text size="sm">{places(of(item).scopes, tenant)}</Text>,
    },
    {
      id: "when",
      title: "When",
      cell: (item) => <When assignment={of(item)} now={now} />,
    },
  ];
}

function When({ assignment, now }: { assignment: Assignment; now: number }) {
  const { notBefore, notAfter } = assignment;
  if (!notBefore && !notAfter) return <Text size="sm">always</Text>;
  const how = standing(assignment, now);
  const day = (time: string): string => moment(time).slice(0, 16);
  return (
    <Group gap={6}>
      <Text size="sm" className="tabular">
        {notBefore ? `from ${day(notBefore)} ` : ""}
        {notAfter ? `until ${day(notAfter)}` : ""}
      </Text>
      <Badge
        size="sm"
        variant="outline"
        color="gray"
        c={how === "counts" ? "var(--skerry-good)" : "var(--skerry-idle)"}
      >
        {how}
      </Badge>
    </Group>
  );
}
