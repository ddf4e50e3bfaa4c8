/** The machines of a site, and what an operator does with them. */
import { Button, Group, Text } from "@mantine/core";
import { useState } from "react";
import { useCatalogue } from "~/api/catalogue";
import { useGlobalFeed } from "~/api/live";
import { useAct, useList } from "~/api/queries";
import type { Document } from "~/api/types";
import { Confirm } from "~/parts/Confirm";
import { RefLink } from "~/parts/cells";
import { DataTable, type TableColumn } from "~/parts/DataTable";
import { EmptyState } from "~/parts/EmptyState";
import { size } from "~/parts/formats";
import { ProblemAlert } from "~/parts/ProblemAlert";
import { RowsSkeleton } from "~/parts/Skeletons";
import { StateBadge } from "~/parts/StateBadge";
import { Ago } from "~/parts/Values";
import { useScope } from "~/shell/scope";
import { cores } from "./RoomBar";

type Act = "cordon" | "uncordon" | "drain";

const WORDS: Record<Act, { verb: string; what: string }> = {
  cordon: {
    verb: "Cordon",
    what: "Nothing new is placed on it. What runs there goes on.",
  },
  uncordon: { verb: "Uncordon", what: "New work is placed on it again." },
  drain: {
    verb: "Drain",
    what:
      "Nothing new is placed on it, and what runs there is asked to move: pods and services start " +
      "elsewhere, jobs run to their end. What is still there after an hour is left alone.",
  },
};

interface Capacity {
  millicores?: number;
  memory?: number;
  freeMillicores?: number;
  freeMemory?: number;
  gpus?: unknown[];
  freeGpus?: unknown[];
}

export function Hosts({ site }: { site: string }) {
  const kind = useCatalogue().kind("host");
  const scope = useScope();
  const found = useList(kind, scope, { limit: 1000 }, [site]);
  useGlobalFeed(kind, scope, [site]);
  if (found.isError) return <ProblemAlert error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <RowsSkeleton rows={2} />;
  if (found.data.items.length === 0) {
    return (
      <EmptyState icon="places" title="No machine has joined this site by invitation">
        It may have one of its own, as the machine is on which this cloud was started; others join
        by “Add a machine”.
      </EmptyState>
    );
  }
  return (
    <DataTable
      label="Machines"
      columns={COLUMNS}
      rows={found.data.items}
      rowKey={({ metadata }) => metadata.ref}
    />
  );
}

const capacity = ({ status }: Document): Capacity => (status?.capacity ?? {}) as Capacity;

const COLUMNS: TableColumn<Document>[] = [
  { id: "name", title: "Name", cell: ({ metadata }) => <RefLink to={metadata.ref} /> },
  { id: "phase", title: "Phase", cell: ({ status }) => <StateBadge state={`${status?.phase}`} /> },
  {
    id: "cores",
    title: "Cores free",
    right: true,
    cell: (host) => of(capacity(host).freeMillicores, capacity(host).millicores, cores),
  },
  {
    id: "memory",
    title: "Memory free",
    right: true,
    cell: (host) => of(capacity(host).freeMemory, capacity(host).memory, size),
  },
  {
    id: "gpus",
    title: "GPUs free",
    right: true,
    cell: (host) => of(capacity(host).freeGpus?.length, capacity(host).gpus?.length, String),
  },
  {
    id: "seen",
    title: "Last seen",
    cell: ({ status }) => (status?.lastSeenAt ? <Ago at={`${status.lastSeenAt}`} /> : "never"),
  },
  { id: "acts", title: "Service", cell: (host) => <Service host={host} /> },
];

function of(free = 0, total = 0, format: (value: number) => string) {
  return total ? `${format(free)} of ${format(total)}` : <span className="none">–</span>;
}

/** In and out of service, each after a question. */
function Service({ host }: { host: Document }) {
  const kind = useCatalogue().kind("host");
  const act = useAct(kind, host.metadata.ref);
  const [asked, setAsked] = useState<Act>();
  const out = ["cordoned", "draining", "drained"].includes(`${host.status?.phase}`);
  const choices: Act[] = out ? ["uncordon", "drain"] : ["cordon", "drain"];
  const close = (): void => {
    setAsked(undefined);
    act.reset();
  };
  return (
    <Group gap={6} wrap="nowrap">
      {choices.map((name) => (
        <Button
          key={name}
          size="compact-xs"
          variant="default"
          aria-label={`${WORDS[name].verb} ${host.metadata.name}`}
          onClick={() => setAsked(name)}
        >
          {WORDS[name].verb}
        </Button>
      ))}
      {asked ? (
        <Confirm
          opened
          close={close}
          title={`${WORDS[asked].verb} ${host.metadata.name}?`}
          verb={WORDS[asked].verb}
          pending={act.isPending}
          error={act.error}
          confirm={() => act.mutate({ name: asked, body: {} }, { onSuccess: close })}
        >
          <Text size="sm">{WORDS[asked].what}</Text>
        </Confirm>
      ) : null}
    </Group>
  );
}
