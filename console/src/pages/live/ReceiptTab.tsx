/** The receipt: what ran, where and at what price, checked here and now against the signed log. */
import { Alert, Button, Group, Stack, Text, Title } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { namesIn } from "~/api/catalogue";
import { api } from "~/api/http";
import { pathOf } from "~/api/queries";
import { Equivalent } from "~/parts/Equivalent";
import { counted, moment } from "~/parts/formats";
import { Icon } from "~/parts/Icon";
import { ProblemAlert } from "~/parts/ProblemAlert";
import { download } from "~/parts/saving";
import { canCheck, Failed } from "~/proof/bytes";
import { OperatorKey } from "~/proof/OperatorKey";
import { ProofPath } from "~/proof/ProofPath";
import type { ProvenReceipt, ProvenSection } from "~/proof/receipt";
import type { TabProps } from "~/shell/areas";
import { flagsOf } from "../resources/ResourcePage";
import classes from "./ReceiptTab.module.css";

const EVIDENCE: Readonly<Record<string, string>> = {
  declared: "declared by the operator",
  "attested-host": "attested by the host, as the operator passes it on",
  "attested-hardware": "attested by hardware, as the operator passes it on",
};

export default function ReceiptTab({ kind, resource }: TabProps) {
  const path = `${pathOf(resource.metadata.ref)}/receipt`;
  const names = namesIn(kind, resource.metadata.ref);
  const check = useMutation({
    mutationFn: async () => {
      // What checks is a chunk of its own, and comes when it is asked for.
      const { proveReceipt } = await import("~/proof/prove");
      return await proveReceipt(await api.text(path));
    },
  });
  const keep = useMutation({
    mutationFn: () => download(path, `${names.join("-")}.receipt.json`),
  });
  return (
    <Stack gap="md">
      <Text size="sm" maw="46rem">
        The receipt says what ran, where, and at what price. Each of its statements is in the log
        that the operator signed, and can't be changed without that being seen. Your browser checks
        it here; <span className="mono">skerry verify</span> does the same without this cloud.
      </Text>
      <Group>
        <Button
          leftSection={<Icon name="audit" size={16} />}
          onClick={() => check.mutate()}
          loading={check.isPending}
          disabled={!canCheck()}
        >
          Verify
        </Button>
        <Button
          variant="default"
          leftSection={<Icon name="download" size={16} />}
          onClick={() => keep.mutate()}
          loading={keep.isPending}
        >
          Download
        </Button>
        {canCheck() ? null : (
          <Text size="sm" c="dimmed">
            Browsers check signatures only over HTTPS. Download it and use skerry verify.
          </Text>
        )}
      </Group>
      {canCheck() ? <OperatorKey checked={() => check.mutate()} /> : null}
      {check.error ? <Wrong error={check.error} /> : null}
      {keep.error ? <ProblemAlert error={keep.error} /> : null}
      {check.data ? <Proved receipt={check.data} /> : null}
      <Equivalent
        command={[kind.noun, "receipt", ...flagsOf(kind, names), "-o", "json"]}
        call={{ method: "GET", path }}
      />
    </Stack>
  );
}

function Wrong({ error }: { error: unknown }) {
  if (!(error instanceof Failed)) return <ProblemAlert error={error} />;
  return (
    <Alert
      role="alert"
      color="red"
      variant="outline"
      icon={<Icon name="warn" />}
      title={error.where === "the key" ? "The operator's key has changed" : "It does not hold"}
    >
      {error.message}.{" "}
      {error.where === "the key"
        ? "Ask the operator, by another way than this cloud, whether that is right; then give this browser the new key."
        : "Keep the receipt: download it and show it to somebody you trust."}
    </Alert>
  );
}

function Proved({ receipt }: { receipt: ProvenReceipt }) {
  const { origin, size, issuedAt, sections } = receipt;
  const statements = sections.reduce((sum, section) => sum + section.statements.length, 0);
  const items = sections.reduce((sum, section) => sum + section.items, 0);
  return (
    <Stack gap="md">
      <section className={`surface ${classes.good}`} role="status">
        <Icon name="check" size={22} />
        <div>
          <Text fw={600}>Everything in it holds</Text>
          <Text size="sm">
            {counted(statements, "statement")} and {counted(items, "record")} of money and use are
            in the log {origin}, of {counted(size, "change")}; its checkpoint and the seal are
            signed by the operator&apos;s key. Issued {moment(issuedAt)}.
          </Text>
        </div>
      </section>
      {sections.map((section) => (
        <Section key={section.name} section={section} />
      ))}
    </Stack>
  );
}

function Section({ section }: { section: ProvenSection }) {
  return (
    <section className={`surface ${classes.section}`}>
      <Title order={2} size="h4" tt="capitalize">
        {section.name}
      </Title>
      <Text size="sm" c="dimmed" mb="xs">
        {EVIDENCE[section.evidence] ?? section.evidence}
        {section.items > 0 ? `; ${counted(section.items, "record")} in their batches` : ""}
      </Text>
      <Stack gap="xs">
        {section.statements.map((statement) => (
          <details key={statement.statement.position}>
            <summary className={classes.summary}>{summaryOf(statement)}</summary>
            <ProofPath proven={statement} />
          </details>
        ))}
      </Stack>
    </section>
  );
}

function summaryOf({ statement, kind, verb, at }: ProvenSection["statements"][number]): string {
  return `Change ${statement.position}: ${kind.replaceAll(".", " ")} ${verb}, ${moment(at)}`;
}
