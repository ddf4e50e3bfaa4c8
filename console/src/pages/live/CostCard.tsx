/** What it cost so far, what it costs now, and what is set aside for it. */
import { Skeleton, Text, Title } from "@mantine/core";
import { useView } from "~/api/queries";
import { perMonth } from "~/market/price";
import { money, type Nano } from "~/parts/formats";
import { type Fact, KeyValue } from "~/parts/KeyValue";
import { Money } from "~/parts/Values";
import type { TabProps } from "~/shell/areas";

interface Cost {
  currency: string;
  amountNano: Nano;
  perHourNano?: Nano | null;
  settledNano?: Nano | null;
  heldNano?: Nano | null;
}

export default function CostCard({ kind, resource }: TabProps) {
  const found = useView<Cost>(kind, resource.metadata.ref, "cost", {}, { refresh: 10 });
  return (
    <section className="surface" style={{ padding: "var(--mantine-spacing-md)" }}>
      <Title order={2} mb="xs">
        Cost
      </Title>
      {found.data ? (
        <Told cost={found.data} />
      ) : found.isError ? (
        <Text size="sm" c="dimmed">
          Nothing was charged yet.
        </Text>
      ) : (
        <Skeleton height={60} aria-busy="true" />
      )}
    </section>
  );
}

function Told({ cost }: { cost: Cost }) {
  const { currency, amountNano, perHourNano, settledNano, heldNano } = cost;
  const runs = isSome(perHourNano);
  const facts: Fact[] = [
    [
      "So far",
      <b key="far">
        <Money nano={amountNano} currency={currency} />
      </b>,
    ],
  ];
  if (runs) {
    facts.push(["Now", `${money(perHourNano, currency)} an hour`]);
    facts.push(["If it goes on", `${money(perMonth(BigInt(perHourNano)), currency)} a month`]);
  }
  if (isSome(settledNano))
    facts.push(["Charged", <Money key="charged" nano={settledNano} currency={currency} />]);
  if (isSome(heldNano))
    facts.push(["Set aside", <Money key="held" nano={heldNano} currency={currency} />]);
  return <KeyValue facts={facts} />;
}

function isSome(nano: Nano | null | undefined): nano is Nano {
  return nano !== undefined && nano !== null && BigInt(nano) !== 0n;
}
