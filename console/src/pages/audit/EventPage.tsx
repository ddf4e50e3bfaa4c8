/** One entry of the log, checked in the browser. */
import { Alert, Anchor, Button, Code, Group, Loader, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "react-router";
import { Problem } from "~/api/problem";
import { useRoom } from "~/api/queries";
import { Equivalent } from "~/parts/Equivalent";
import { Icon } from "~/parts/Icon";
import { type Fact, KeyValue } from "~/parts/KeyValue";
import { PageHead } from "~/parts/PageHead";
import { ProblemAlert } from "~/parts/ProblemAlert";
import { PageSkeleton } from "~/parts/Skeletons";
import { Ago } from "~/parts/Values";
import { canCheck, Failed } from "~/proof/bytes";
import { OperatorKey } from "~/proof/OperatorKey";
import { ProofPath } from "~/proof/ProofPath";
import { proveEvent } from "~/proof/prove";
import { useAddress, useScope } from "~/shell/scope";
import { doneWord, eventsPath, fromOutside, short, type WholeEvent, who } from "./events";

export default function EventPage() {
  const { tenant } = useScope();
  const { position = "" } = useParams();
  const { page, resource } = useAddress();
  const path = `${eventsPath(tenant)}/${encodeURIComponent(position)}`;
  const found = useRoom<WholeEvent>(path);
  if (found.isError) return <ProblemAlert error={found.error} retry={() => void found.refetch()} />;
  const event = found.data;
  if (!event) return <PageSkeleton />;
  const to = resource(event.ref);
  const what = short(event.ref);
  const facts: Fact[] = [
    ["When", <Ago key="at" at={event.at} />],
    [
      "Who",
      fromOutside(event.actor, tenant)
        ? `${event.actor} (from outside ${tenant}: an operator)`
        : who(event.actor),
    ],
    ["Did", `${doneWord(event.verb, event.version)} (${event.verb})`],
    [
      "Of",
      to ? (
        <Anchor key="of" component={Link} to={to} size="sm">
          {what}
        </Anchor>
      ) : (
        <span key="of" className="mono">
          {event.ref}
        </span>
      ),
    ],
    ["Kind", event.kind],
    ...(event.address ? [["From", event.address] as const] : []),
    ["Version", event.version ? String(event.version) : "–"],
  ];
  return (
    <Stack gap="lg">
      <PageHead
        title={`Entry ${event.position}`}
        trail={
          <Anchor component={Link} to={page("audit")} size="sm">
            Audit
          </Anchor>
        }
        about={`${who(event.actor)} ${doneWord(event.verb, event.version)} ${what}.`}
      />
      <KeyValue facts={facts} />
      <Checked event={event} />
      <Stack gap="xs">
        <Title order={2}>What was logged</Title>
        <Text size="sm" c="dimmed">
          Exactly these bytes were hashed, with a salt of their own, into the leaf.
        </Text>
        <Code block mah={420} tabIndex={0} aria-label="What was logged">
          {pretty(event.body)}
        </Code>
      </Stack>
      <Equivalent
        command={["audit", "event", String(event.position)]}
        call={{ method: "GET", path }}
      />
    </Stack>
  );
}

function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

/** The check is made at once, for the log does not change its mind. */
function Checked({ event }: { event: WholeEvent }) {
  const proof = useQuery({
    queryKey: ["proof", event.tenant, event.position],
    queryFn: () => proveEvent(event),
    enabled: canCheck(),
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <Stack gap="sm" className="surface" p="md">
      <Group justify="space-between" wrap="nowrap">
        <Title order={2}>Is it in the signed log?</Title>
        <Button
          variant="default"
          size="xs"
          style={{ flexShrink: 0 }}
          loading={proof.isFetching}
          disabled={!canCheck()}
          onClick={() => void proof.refetch()}
        >
          Check again
        </Button>
      </Group>
      {canCheck() ? null : (
        <Text size="sm">
          This browser checks signatures only on pages that came by HTTPS, or from this machine. Use
          skerry audit export and skerry verify.
        </Text>
      )}
      {proof.isPending && canCheck() ? <Loader size="sm" aria-label="It is being checked" /> : null}
      {canCheck() ? <OperatorKey checked={() => void proof.refetch()} /> : null}
      {proof.isError ? <Doubt error={proof.error} retry={() => void proof.refetch()} /> : null}
      {proof.data ? (
        <>
          <Alert
            color="green"
            variant="outline"
            icon={<Icon name="check" />}
            title="Yes: it stands there as it is shown here"
            styles={{ title: { color: "var(--mantine-color-text)" } }}
          >
            <Text size="sm">
              This browser hashed who, what and where with the salt, compared them with the leaf,
              climbed from the leaf to the root with hashes from the log's tiles, and checked the
              operator's Ed25519 signature on that root.
            </Text>
          </Alert>
          <ProofPath proven={proof.data} />
        </>
      ) : null}
    </Stack>
  );
}

function Doubt({ error, retry }: { error: unknown; retry: () => void }) {
  if (!(error instanceof Failed)) return <ProblemAlert error={error} retry={retry} />;
  return (
    <ProblemAlert
      error={
        new Problem({
          status: 0,
          title:
            error.where === "the key" ? "The operator's key has changed" : "It could not be shown",
          detail: error.message,
        })
      }
      retry={retry}
    />
  );
}
