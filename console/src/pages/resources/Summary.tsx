/** A resource at a glance: its facts, and the cards that areas add. */
import { SimpleGrid, Stack, Title } from "@mantine/core";
import { Suspense } from "react";
import type { Kind } from "~/api/catalogue";
import type { Document } from "~/api/types";
import { Value } from "~/parts/cells";
import { currencyNear, isEmpty, isMoney, words } from "~/parts/formats";
import { type Fact, KeyValue } from "~/parts/KeyValue";
import { Late } from "~/parts/Skeletons";
import { StateBadge } from "~/parts/StateBadge";
import { Ago } from "~/parts/Values";
import { cards } from "~/shell/areas";

const ELSEWHERE = new Set(["conditions", "state"]);

export function Summary({ kind, resource }: { kind: Kind; resource: Document }) {
  const shown = cards.filter((card) => card.when(kind, resource));
  const status = factsOf(resource, "status");
  return (
    <Stack gap="md">
      <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="md">
        <Facts title="Now" facts={[...general(resource), ...status]} />
        <Facts title="Wanted" facts={factsOf(resource, "spec")} />
        {shown
          .filter((card) => !card.wide)
          .map(({ id, content: Content }) => (
            <Suspense key={id} fallback={<Late>{null}</Late>}>
              <Content kind={kind} resource={resource} />
            </Suspense>
          ))}
      </SimpleGrid>
      {shown
        .filter((card) => card.wide)
        .map(({ id, content: Content }) => (
          <Suspense key={id} fallback={<Late>{null}</Late>}>
            <Content kind={kind} resource={resource} />
          </Suspense>
        ))}
    </Stack>
  );
}

function Facts({ title, facts }: { title: string; facts: Fact[] }) {
  if (facts.length === 0) return null;
  return (
    <section className="surface" style={{ padding: "var(--mantine-spacing-md)" }}>
      <Title order={2} mb="xs">
        {title}
      </Title>
      <KeyValue facts={facts} />
    </section>
  );
}

function general({ metadata, status, labels }: Document): Fact[] {
  const facts: Fact[] = [];
  if (status?.state) facts.push(["State", <StateBadge key="state" state={status.state} />]);
  facts.push(["Created", <Ago key="created" at={metadata.createdAt} />]);
  if (metadata.lastModifiedAt !== metadata.createdAt) {
    facts.push(["Changed", <Ago key="changed" at={metadata.lastModifiedAt} />]);
  }
  if (metadata.region) facts.push(["Region", metadata.region]);
  if (metadata.owned) facts.push(["Made by", "another resource, and deleted with it"]);
  const tags = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  if (tags.length > 0) facts.push(["Labels", tags.join(", ")]);
  return facts;
}

/** The fields that are set; what is nested by one level more, what is deeper in the document. */
export function factsOf(resource: Document, part: "spec" | "status"): Fact[] {
  const fields = Object.entries(resource[part] ?? {}).filter(
    ([name, value]) => !isEmpty(value) && !(part === "status" && ELSEWHERE.has(name)),
  );
  return fields.flatMap(([name, value]) => {
    const near = currencyNear(resource, `${part}.${name}`);
    const nested = typeof value === "object" && !Array.isArray(value) && !isMoney(value);
    if (!nested || value === null) return [fact(words(name), name, value, near)];
    const inner = Object.entries(value as Record<string, unknown>).filter(
      ([, each]) => !isEmpty(each),
    );
    const currency = (value as { currency?: string }).currency ?? near;
    return inner.map(([key, each]) =>
      fact(`${words(name)}: ${words(key).toLowerCase()}`, key, each, currency),
    );
  });
}

function fact(label: string, name: string, value: unknown, currency: string): Fact {
  return [label, <Value key={label} name={name} value={value} currency={currency} />];
}
