/** What needs a person: alerts, and what failed lately. */
import { Group, Stack, Text, Title } from "@mantine/core";
import { useCatalogue } from "~/api/catalogue";
import { useList } from "~/api/queries";
import { RefLink } from "~/parts/cells";
import { Icon } from "~/parts/Icon";
import { Ago } from "~/parts/Values";
import { useScope } from "~/shell/scope";
import type { Alert } from "./rooms";

export function Attention({ alerts }: { alerts: readonly Alert[] }) {
  const scope = useScope();
  const kind = useCatalogue().kind("job");
  const failed = useList(kind, scope, { phase: "failed", sort: "-modified", limit: 5 }).data?.items;
  return (
    <Stack gap="sm" className="surface" p="md">
      <Title order={2}>Needs attention</Title>
      {alerts.map(({ metadata, spec, status }) => (
        <Row key={metadata.ref} at={status.raisedAt}>
          <Text size="sm">{status.message}</Text>
          <Text size="xs" c="dimmed">
            {spec.subject.slice(spec.subject.lastIndexOf("/") + 1)}
            {status.remedy ? ` · ${status.remedy}` : ""}
          </Text>
        </Row>
      ))}
      {(failed ?? []).map(({ metadata, status }) => (
        <Row key={metadata.ref} at={metadata.lastModifiedAt}>
          <RefLink to={metadata.ref} />
          <Text size="xs" c="dimmed">
            The job failed
            {status?.exitCode === undefined ? "" : ` with exit code ${status.exitCode}`}.
          </Text>
        </Row>
      ))}
      {alerts.length === 0 && (failed ?? []).length === 0 ? (
        <Group gap="xs">
          <span style={{ color: "var(--skerry-good)", display: "flex" }}>
            <Icon name="check" />
          </span>
          <Text size="sm">Nothing does.</Text>
        </Group>
      ) : null}
    </Stack>
  );
}

function Row({ at, children }: { at: string; children: React.ReactNode }) {
  return (
    <Group gap="sm" align="flex-start" wrap="nowrap">
      <span style={{ color: "var(--skerry-warn)", display: "flex", paddingTop: 2 }}>
        <Icon name="warn" />
      </span>
      <div style={{ flex: 1, minWidth: 0 }}>{children}</div>
      <Text size="xs" c="dimmed">
        <Ago at={at} />
      </Text>
    </Group>
  );
}
