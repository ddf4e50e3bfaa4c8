/** Why it is where it is: the rules, what was chosen at what price, who came next, who was refused. */
import { Stack, Table, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { namesIn } from "~/api/catalogue";
import { asProblem } from "~/api/problem";
import { pathOf, useView } from "~/api/queries";
import {
  type Choice,
  type Decision,
  type Line,
  placeInWords,
  termsInWords,
  withCountries,
} from "~/market/decision";
import { perMonth } from "~/market/price";
import columns from "~/parts/Columns.module.css";
import { EmptyState } from "~/parts/EmptyState";
import { Equivalent } from "~/parts/Equivalent";
import { counted, money } from "~/parts/formats";
import { ProblemAlert } from "~/parts/ProblemAlert";
import { Refusals, sentence } from "~/parts/Refusals";
import { PageSkeleton } from "~/parts/Skeletons";
import { Ago } from "~/parts/Values";
import type { TabProps } from "~/shell/areas";
import { flagsOf } from "../resources/ResourcePage";

export default function PlacementTab({ kind, resource }: TabProps) {
  const { ref } = resource.metadata;
  const found = useView<Decision>(kind, ref, "decision", {}, {});
  const none = found.isError && asProblem(found.error).status === 404;
  return (
    <Stack gap="md">
      {none ? (
        <EmptyState icon="places" title="Nothing was decided yet">
          It is placed when it starts; then it stands here where and why.
        </EmptyState>
      ) : found.isError && !found.data ? (
        <ProblemAlert error={found.error} retry={() => void found.refetch()} />
      ) : found.data ? (
        <Told decision={found.data} />
      ) : (
        <PageSkeleton />
      )}
      <Equivalent
        command={[kind.noun, "decision", ...flagsOf(kind, namesIn(kind, ref))]}
        call={{ method: "GET", path: `${pathOf(ref)}/decision` }}
      />
    </Stack>
  );
}

function Told({ decision }: { decision: Decision }) {
  const { chosen, runnerUp, policyInWords, considered = 0, eligible = 0 } = decision;
  return (
    <div className={columns.columns}>
      <Part title={chosen ? "Chosen" : "Nowhere: no offer serves it"}>
        {chosen ? <Chosen choice={chosen} /> : null}
        {decision.at ? (
          <Text size="xs" c="dimmed">
            Decided <Ago at={decision.at} />
          </Text>
        ) : null}
      </Part>
      <Part title="Rules that held">
        <Text size="sm">{sentence(withCountries(policyInWords ?? "anywhere, with anybody"))}</Text>
        <Text size="sm" c="dimmed">
          {counted(considered, "offer")} looked at, of which {eligible} would do.
        </Text>
      </Part>
      <Part title="Next best">
        {runnerUp ? (
          <Text size="sm">
            {placeInWords(runnerUp.place)}: {money(runnerUp.price.perHour, runnerUp.price.currency)}{" "}
            an hour
          </Text>
        ) : (
          <Text size="sm" c="dimmed">
            No other offer would have done.
          </Text>
        )}
      </Part>
      <Part title="Refused">
        {Object.keys(decision.refused ?? {}).length > 0 ? (
          <Refusals decision={decision} currency={chosen?.price.currency} />
        ) : (
          <Text size="sm" c="dimmed">
            None.
          </Text>
        )}
      </Part>
    </div>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="surface" style={{ padding: "var(--mantine-spacing-md)", minWidth: 0 }}>
      <Title order={2} size="h4" mb="xs">
        {title}
      </Title>
      <Stack gap="xs">{children}</Stack>
    </section>
  );
}

function Chosen({ choice }: { choice: Choice }) {
  const { currency, perHour, lines = [] } = choice.price;
  const terms = termsInWords({
    ...choice.place,
    isolation: choice.isolation,
    gpuModel: choice.gpuModel,
    spot: choice.spot,
  });
  return (
    <>
      <Text fw={600}>{placeInWords(choice.place)}</Text>
      <Text size="sm" c="dimmed">
        {terms}
      </Text>
      <Text className="tabular">
        <b>{money(perHour, currency)}</b> an hour, {money(perMonth(perHour), currency)} a month
      </Text>
      {lines.length > 0 ? <Lines lines={lines} currency={currency} /> : null}
    </>
  );
}

const METERS: Readonly<Record<string, string>> = {
  "cpu-hour": "CPU cores",
  "memory-gib-hour": "GiB of memory",
  "gpu-hour": "GPUs",
  "storage-gib-hour": "GiB of storage",
};

function Lines({ lines, currency }: { lines: readonly Line[]; currency: string }) {
  return (
    <Table fz="sm" withRowBorders={false} verticalSpacing={2}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>For</Table.Th>
          <Table.Th ta="end">How many</Table.Th>
          <Table.Th ta="end">An hour</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {lines.map((line) => (
          <Table.Tr key={`${line.meter}${line.sku ?? ""}`}>
            <Table.Td>{line.sku || (METERS[line.meter] ?? line.meter)}</Table.Td>
            <Table.Td ta="end" className="tabular">
              {line.quantity / line.per}
            </Table.Td>
            <Table.Td ta="end" className="tabular">
              {money(line.amount ?? line.amountNano ?? 0, currency)}
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
