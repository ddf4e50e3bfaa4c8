/** How the console looks, how to come in by command line, and what tenant and cloud are set to. */
import { Anchor, Group, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { capital, type Kind, plural, useCatalogue } from "~/api/catalogue";
import { useSignedIn } from "~/api/session";
import classes from "~/parts/Columns.module.css";
import { Copy } from "~/parts/Copy";
import { Equivalent } from "~/parts/Equivalent";
import { quoted } from "~/parts/formats";
import { type Fact, KeyValue } from "~/parts/KeyValue";
import { PageHead } from "~/parts/PageHead";
import { Ago } from "~/parts/Values";
import { Scheme } from "~/shell/Account";
import { useAddress, useScope } from "~/shell/scope";

/** What has a page of its own elsewhere is not repeated here. */
const ELSEWHERE = new Set(["skerry.billing", "seca.authorization"]);
const PEOPLE = new Set(["user", "invitation", "token", "service-account"]);

export default function SettingsPage() {
  const catalogue = useCatalogue();
  const session = useSignedIn();
  const { tenant } = useScope();
  const listed = catalogue.kinds.filter(
    (kind) =>
      kind.ops.includes("list") &&
      kind.parents.length === 0 &&
      !ELSEWHERE.has(kind.provider) &&
      !PEOPLE.has(kind.noun),
  );
  return (
    <Stack gap="md">
      <PageHead title="Settings" />
      <div className={classes.columns}>
        <Card title="You">
          <KeyValue facts={yours(session)} />
        </Card>
        <Card title="Looks">
          <Text size="sm" c="dimmed" mb="xs">
            Kept in this browser.
          </Text>
          <Scheme />
        </Card>
        <Card title="Command line">
          <CommandLine />
        </Card>
        <Card title={`The tenant ${tenant}`}>
          <Kinds kinds={listed.filter((kind) => kind.scope === "tenant")} />
        </Card>
        <Card title="This cloud">
          <Kinds kinds={listed.filter((kind) => kind.scope === "global")} />
        </Card>
        <Card title="For programs">
          <Stack gap={4}>
            <Anchor href="/openapi.json" target="_blank" size="sm">
              The API's description (OpenAPI)
            </Anchor>
            <Anchor href="/catalogue.json" target="_blank" size="sm">
              The kinds it has, with their schemas
            </Anchor>
            <Anchor href="/providers/skerry.proof/v1/key" target="_blank" size="sm">
              The public key that proofs are checked with
            </Anchor>
          </Stack>
        </Card>
      </div>
      <Equivalent
        command={["whoami"]}
        call={{ method: "GET", path: "/providers/skerry.identity/v1/whoami" }}
      />
    </Stack>
  );
}

function yours(session: ReturnType<typeof useSignedIn>): Fact[] {
  return [
    ["Name", session.displayName || session.subject],
    ["Subject", session.subject],
    ["Tenant", session.tenant],
    ["Operator of this cloud", session.operator ? "yes" : "no"],
    [
      "Signed in until",
      session.expiresAt ? <Ago key="until" at={session.expiresAt} /> : "the token is revoked",
    ],
  ];
}

function Card({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="surface" style={{ padding: "var(--mantine-spacing-md)" }}>
      <Title order={2} mb="xs">
        {title}
      </Title>
      {children}
    </section>
  );
}

function CommandLine() {
  const session = useSignedIn();
  const user = session.subject.replace(/^users\//, "");
  const command = ["skerry", "login", "--url", window.location.origin, "--tenant", session.tenant];
  const line = [...command, "--user", user].map(quoted).join(" ");
  return (
    <Stack gap="xs">
      <Text size="sm">All that the console does, the command line can do. Sign in with it:</Text>
      <Group gap={4} wrap="nowrap">
        <Text className="mono" size="sm" style={{ wordBreak: "break-all" }}>
          {line}
        </Text>
        <Copy text={line} what="the command" />
      </Group>
    </Stack>
  );
}

function Kinds({ kinds }: { kinds: readonly Kind[] }) {
  const { list } = useAddress();
  return (
    <Stack gap={6}>
      {kinds.map((kind) => (
        <Text key={kind.noun} size="sm">
          <Anchor component={Link} to={list(kind.noun)} size="sm" fw={560}>
            {capital(plural(kind))}
          </Anchor>{" "}
          <Text span c="dimmed" size="sm">
            {kind.summary}
          </Text>
        </Text>
      ))}
    </Stack>
  );
}
