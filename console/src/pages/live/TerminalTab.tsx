/** A shell in what runs. The terminal itself comes in a chunk of its own, when it is asked for. */
import { Button, Group, Select, Stack, Text, TextInput } from "@mantine/core";
import { lazy, Suspense, useState } from "react";
import { namesIn } from "~/api/catalogue";
import { pathOf } from "~/api/queries";
import { split } from "~/forms/shell";
import { EmptyState } from "~/parts/EmptyState";
import { Equivalent } from "~/parts/Equivalent";
import { Icon } from "~/parts/Icon";
import { PageSkeleton } from "~/parts/Skeletons";
import type { TabProps } from "~/shell/areas";
import { runsNow } from "./running";

const Terminal = lazy(() => import("./Terminal"));

export default function TerminalTab({ kind, resource }: TabProps) {
  const [command, setCommand] = useState("/bin/sh");
  const [opened, setOpened] = useState(0);
  const [member, setMember] = useState("");
  const { ref, name } = resource.metadata;
  const { spec, status } = resource;
  const replicas = Array.isArray(status?.pods)
    ? (status.pods as { name: string }[]).map((pod) => pod.name)
    : [];
  const count = typeof spec.count === "number" ? spec.count : 1;
  const ranks = Array.from({ length: count }, (_, rank) => String(rank));
  const choices = replicas.length > 0 ? replicas : ranks;
  const chosen = member || (choices[0] ?? "");
  const words = split(command) ?? [];
  const which =
    replicas.length > 0 ? { replica: chosen } : count > 1 ? { rank: Number(chosen) } : {};
  const about = { path: `${pathOf(ref)}/exec`, wanted: { ...which, command: words, tty: true } };
  const phase = String(status?.phase ?? "");
  const runs = runsNow(resource);
  const flag = Object.entries(which).flatMap(([key, value]) => [`--${key}`, String(value)]);
  return (
    <Stack gap="sm">
      <Group align="flex-end" gap="sm">
        {choices.length > 1 ? (
          <Select
            label={replicas.length > 0 ? "Replica" : "Copy"}
            size="xs"
            w={140}
            data={choices}
            value={chosen}
            onChange={(value) => value && setMember(value)}
            allowDeselect={false}
          />
        ) : null}
        <TextInput
          label="Command"
          size="xs"
          value={command}
          onChange={(event) => setCommand(event.currentTarget.value)}
          classNames={{ input: "mono" }}
          spellCheck={false}
        />
        <Button
          size="xs"
          disabled={!runs || words.length === 0}
          leftSection={<Icon name="terminal" size={15} />}
          onClick={() => setOpened(opened + 1)}
        >
          {opened > 0 ? "Open anew" : "Open"}
        </Button>
      </Group>
      {opened > 0 ? (
        <Suspense fallback={<PageSkeleton />}>
          <Terminal key={opened} {...about} />
        </Suspense>
      ) : (
        <EmptyState
          icon="terminal"
          title={
            runs ? "A shell, one click away" : `It does not run now: ${phase || "not started"}`
          }
        >
          {runs
            ? "The command runs beside it, with its rights and within its limits, until you leave. It costs nothing of its own."
            : "A shell opens only in what runs. Its log and files stay readable."}
        </EmptyState>
      )}
      <Text size="xs" c="dimmed">
        That a shell was opened, by whom and with which command, stands in the audit log.
      </Text>
      <Equivalent
        command={[
          "exec",
          "--tty",
          ...flag,
          `${kind.noun}/${namesIn(kind, ref).at(-1) ?? name}`,
          "--",
          ...words,
        ]}
      />
    </Stack>
  );
}
