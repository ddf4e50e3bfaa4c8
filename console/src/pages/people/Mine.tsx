/** How one comes in oneself: second factor, sessions, tokens. */
import { Badge, Button, Group, Stack, Text, Title } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { useCatalogue } from "~/api/catalogue";
import { api } from "~/api/http";
import { useResource, useRoom } from "~/api/queries";
import { useSignedIn } from "~/api/session";
import { Confirm } from "~/parts/Confirm";
import { DataTable, type TableColumn } from "~/parts/DataTable";
import { Equivalent } from "~/parts/Equivalent";
import { ProblemAlert } from "~/parts/ProblemAlert";
import { RowsSkeleton } from "~/parts/Skeletons";
import { Ago } from "~/parts/Values";

const SecondFactor = lazy(() => import("./SecondFactor"));
const SESSIONS = "/providers/skerry.identity/v1/sessions";

interface Held {
  id: string;
  token: string | null;
  by: string;
  address: string;
  openedAt: string;
  lastUsedAt: string | null;
  expiresAt: string | null;
  current: boolean;
}

export function Mine() {
  return (
    <Stack gap="xl">
      <Factor />
      <Sessions />
    </Stack>
  );
}

function Factor() {
  const { tenant, subject } = useSignedIn();
  const [collection, name = ""] = subject.split("/");
  const kind = useCatalogue().kind("user");
  const user = useResource(kind, { tenant, workspace: "" }, [name]);
  const [opened, setOpened] = useState<"set" | "drop">();
  if (collection !== "users") return null;
  const has = user.data?.status?.hasSecondFactor === true;
  const password = user.data?.status?.hasPassword === true;
  const why = user.data && !password ? "It stands beside a password, and you have none" : undefined;
  return (
    <Stack gap="sm" align="flex-start">
      <Group gap="sm">
        <Title order={2}>Second factor</Title>
        {user.data ? (
          <Badge
            variant="outline"
            color="gray"
            c={has ? "var(--skerry-good)" : "var(--skerry-idle)"}
          >
            {has ? "on" : "off"}
          </Badge>
        ) : null}
      </Group>
      <Text size="sm" maw="46rem">
        {has
          ? "Your password asks for a code of your authenticator, which counts once."
          : "An app on your phone shows a code every half minute, which your password then asks for."}
      </Text>
      {user.isError ? <ProblemAlert error={user.error} /> : null}
      <Group gap="xs">
        <Button
          variant={has ? "default" : "filled"}
          disabled={!user.data || !password}
          onClick={() => setOpened(has ? "drop" : "set")}
        >
          {has ? "Drop it" : "Set one up"}
        </Button>
        {why ? (
          <Text size="sm" c="dimmed">
            {why}.
          </Text>
        ) : null}
      </Group>
      {opened ? (
        <Suspense fallback={null}>
          <SecondFactor
            user={name}
            drop={opened === "drop"}
            close={() => {
              setOpened(undefined);
              void user.refetch();
            }}
          />
        </Suspense>
      ) : null}
    </Stack>
  );
}

function Sessions() {
  const client = useQueryClient();
  const found = useRoom<{ items: Held[] }>(SESSIONS);
  const [ending, setEnding] = useState<Held>();
  const end = useMutation({
    mutationFn: (one: Held) => api.delete(`${SESSIONS}/${one.id}`),
    onSuccess: () => setEnding(undefined),
    onSettled: () => void client.invalidateQueries({ queryKey: ["room", SESSIONS] }),
  });
  return (
    <Stack gap="sm">
      <Title order={2}>Where you are signed in</Title>
      {found.isError ? (
        <ProblemAlert error={found.error} retry={() => void found.refetch()} />
      ) : found.data ? (
        <DataTable
          label="Your sessions and tokens"
          columns={columnsOf(setEnding)}
          rows={found.data.items}
          rowKey={(one) => one.id}
        />
      ) : (
        <RowsSkeleton />
      )}
      <Equivalent command={["session", "list"]} call={{ method: "GET", path: SESSIONS }} />
      <Confirm
        opened={ending !== undefined}
        close={() => setEnding(undefined)}
        title="End this session"
        verb="End it"
        danger
        pending={end.isPending}
        error={end.error}
        confirm={() => ending && end.mutate(ending)}
      >
        Whoever has it is signed out at once{ending?.address ? `, at ${ending.address}` : ""}.
      </Confirm>
    </Stack>
  );
}

function calledBy({ token, by }: Held): string {
  if (token) return `Token ${token}`;
  if (by === "password") return "Session by password";
  return by ? `Session by ${by}` : "Session";
}

function columnsOf(end: (one: Held) => void): TableColumn<Held>[] {
  const time = (at: string | null) => (at ? <Ago at={at} /> : "never");
  return [
    {
      id: "what",
      title: "What",
      cell: (one) => (
        <Group gap={6} wrap="nowrap">
          <Text size="sm" fw={560}>
            {calledBy(one)}
          </Text>
          {one.current ? (
            <Badge size="sm" variant="outline" color="gray" c="var(--skerry-good)">
              this one
            </Badge>
          ) : null}
        </Group>
      ),
    },
    { id: "from", title: "From", cell: (one) => one.address || "–" },
    { id: "opened", title: "Opened", cell: (one) => time(one.openedAt) },
    { id: "used", title: "Last used", cell: (one) => time(one.lastUsedAt) },
    { id: "ends", title: "Ends", cell: (one) => time(one.expiresAt) },
    {
      id: "end",
      title: "End it",
      right: true,
      cell: (one) =>
        one.token || one.current ? null : (
          <Button variant="default" size="compact-xs" onClick={() => end(one)}>
            End
          </Button>
        ),
    },
  ];
}
