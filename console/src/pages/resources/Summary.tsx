/** A resource at a glance: its facts, and the cards that areas add. */
import { Stack, Title } from "@mantine/core";
import { Suspense } from "react";
import { type Catalogue, type Kind, resourcePath, useCatalogue } from "~/api/catalogue";
import type { Document } from "~/api/types";
import { type Place, placeInWords } from "~/market/decision";
import classes from "~/parts/Columns.module.css";
import { RefLink, Value } from "~/parts/cells";
import { currencyNear, isEmpty, isMoney, onlyCurrency, words } from "~/parts/formats";
import { type Fact, KeyValue } from "~/parts/KeyValue";
import { Late } from "~/parts/Skeletons";
import { StateBadge } from "~/parts/StateBadge";
import { Ago } from "~/parts/Values";
import { cards } from "~/shell/areas";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const MONEY = new Set(["cost", "pricePerHourNano"]);
const ELSEWHERE = new Set(["conditions", "state"]);

export function Summary({ kind, resource }: { kind: Kind; resource: Document }) {
  const catalogue = useCatalogue();
  const shown = cards.filter((card) => card.when(kind, resource));
  const status = factsOf(resource, "status", catalogue, kind);
  return (
    <Stack gap="md">
      <div className={classes.columns}>
        <Facts title="Now" facts={[...general(resource), ...status]} />
        {shown
          .filter((card) => !card.wide)
          .map(({ id, content: Content }) => (
            <Suspense key={id} fallback={<Late>{null}</Late>}>
              <Content kind={kind} resource={resource} />
            </Suspense>
          ))}
        <Facts title="Wanted" facts={factsOf(resource, "spec", catalogue, kind)} />
      </div>
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
  // A phase of its own says more than the state that all kinds have.
  if (status?.state && (!status.phase || status.state === "error")) {
    facts.push(["State", <StateBadge key="state" state={status.state} />]);
  }
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

/** The fields that are set. What is nested is told by one level more, what is deeper or a list of
 *  objects is left to the document. */
export function factsOf(
  resource: Document,
  part: "spec" | "status",
  catalogue: Catalogue,
  kind: Kind,
): Fact[] {
  const only = onlyCurrency(resource);
  return Object.entries(resource[part] ?? {}).flatMap(([name, value]): Fact[] => {
    // What has a card of its own is not said twice.
    if (part === "status" && kind.metered && MONEY.has(name)) return [];
    if (isEmpty(value) || (part === "status" && ELSEWHERE.has(name))) return [];
    const near = currencyNear(resource, `${part}.${name}`) || only;
    if (name === "place") return [["Place", placeInWords(value as Place)]];
    if (Array.isArray(value) && value.some((each) => typeof each === "object")) return [];
    if (typeof value === "string" && UUID.test(value))
      return linked(name, value, resource, catalogue);
    const nested = typeof value === "object" && !Array.isArray(value) && !isMoney(value);
    if (!nested || value === null) return [fact(words(name), name, value, near)];
    const currency = (value as { currency?: string }).currency ?? near;
    return Object.entries(value as Record<string, unknown>)
      .filter(([, each]) => !isEmpty(each) && (typeof each !== "object" || isMoney(each)))
      .map(([key, each]) =>
        fact(`${words(name)}: ${words(key).toLowerCase()}`, key, each, currency),
      );
  });
}

/** An id, where it names a resource that has a page. */
function linked(name: string, id: string, resource: Document, catalogue: Catalogue): Fact[] {
  const kind = catalogue.find(name);
  const { tenant = "", workspace = "" } = resource.metadata;
  if (kind?.scope !== "workspace" || !workspace) return [];
  const to = resourcePath(kind, { tenant, workspace }, [id]).replace("/providers/", "");
  return [[words(name), <RefLink key={name} to={to} label={`${id.slice(0, 8)}…`} />]];
}

function fact(label: string, name: string, value: unknown, currency: string): Fact {
  return [label, <Value key={label} name={name} value={value} currency={currency} />];
}
