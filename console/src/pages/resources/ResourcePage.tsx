/** One resource of any kind: what it is, its tabs, and what can be done with it. */
import { Anchor, Breadcrumbs, Group, Stack, Tabs, Text } from "@mantine/core";
import { Suspense } from "react";
import { Link, useParams, useSearchParams } from "react-router";
import { capital, type Kind, plural, resourcePath, useCatalogue } from "~/api/catalogue";
import { useGlobalFeed } from "~/api/live";
import { asProblem } from "~/api/problem";
import { useResource } from "~/api/queries";
import type { Document } from "~/api/types";
import { toChosen } from "~/parts/chosen";
import { Equivalent } from "~/parts/Equivalent";
import { PageHead } from "~/parts/PageHead";
import { ProblemAlert } from "~/parts/ProblemAlert";
import { PageSkeleton } from "~/parts/Skeletons";
import { StateBadge } from "~/parts/StateBadge";
import { tabs } from "~/shell/areas";
import { NotFound } from "~/shell/NotFound";
import { useAddress, useScope } from "~/shell/scope";
import { Actions } from "./Actions";
import { Summary } from "./Summary";

export default function ResourcePage() {
  const { noun = "", "*": rest = "" } = useParams();
  const kind = useCatalogue().find(noun);
  const names = rest.split("/").filter(Boolean);
  if (!kind || names.length !== kind.parents.length + 1) return <NotFound what="resource" />;
  return <Shown key={`${noun}/${rest}`} kind={kind} names={names} />;
}

function Shown({ kind, names }: { kind: Kind; names: string[] }) {
  const scope = useScope();
  const found = useResource(kind, scope, names);
  useGlobalFeed(kind, scope, names.slice(0, -1));
  const [query] = useSearchParams();
  const said = tabs.find((tab) => tab.id === query.get("tab"))?.equivalent;
  const gone = found.isError && asProblem(found.error).status === 404;
  if (gone) return <Gone kind={kind} names={names} last={found.data} />;
  if (found.isError && !found.data) {
    return <ProblemAlert error={found.error} retry={() => void found.refetch()} />;
  }
  if (!found.data) return <PageSkeleton />;
  const resource = found.data;
  const path = resourcePath(kind, scope, names);
  return (
    <Stack gap="sm">
      <Head kind={kind} names={names} resource={resource} />
      <Parts kind={kind} resource={resource} />
      {said ? null : (
        <Equivalent
          command={[kind.noun, "get", ...flagsOf(kind, names)]}
          call={{ method: "GET", path }}
        />
      )}
    </Stack>
  );
}

/** A resource's name as the command line takes it, with those of what it lives below. */
export function flagsOf(kind: Kind, names: readonly string[]): string[] {
  const above = kind.parents.flatMap(({ parameter }, index) => [
    `--${parameter}`,
    names[index] ?? "",
  ]);
  return [names.at(-1) ?? "", ...above];
}

/** What is said of how it is: its own phase where it has one, else its state. */
export function stateOf(resource: Document): { state: string; why: string } {
  const { status } = resource;
  const phase = typeof status?.phase === "string" ? status.phase : "";
  const failed = status?.state === "error" && phase !== "failed";
  const newest = status?.conditions?.[0];
  const reason = typeof status?.reason === "string" ? status.reason : "";
  return {
    state: failed || !phase ? (status?.state ?? "") : phase,
    why: reason || newest?.message || "",
  };
}

function Head({ kind, names, resource }: { kind: Kind; names: string[]; resource: Document }) {
  const { state, why } = stateOf(resource);
  const name = names.at(-1) ?? "";
  return (
    <PageHead
      tab={`${name} (${kind.noun})`}
      title={
        <Group gap="md" component="span">
          <span>{name}</span>
          {state ? (
            <Text component="span" size="sm" role="status">
              <StateBadge state={state} />
            </Text>
          ) : null}
        </Group>
      }
      about={why}
      trail={<Trail kind={kind} names={names} />}
    >
      <Actions kind={kind} resource={resource} />
    </PageHead>
  );
}

function Trail({ kind, names }: { kind: Kind; names: string[] }) {
  const catalogue = useCatalogue();
  const { list, page } = useAddress();
  const above = catalogue.above(kind);
  const parent = names.at(-2);
  return (
    <Breadcrumbs component="nav" aria-label="Where this is" separatorMargin={6} mb={2}>
      {above && parent !== undefined && kind.parents.length > 0 ? (
        <Anchor
          component={Link}
          size="sm"
          to={page(`kinds/${above.noun}/${names.slice(0, -1).join("/")}`)}
        >
          {parent}
        </Anchor>
      ) : null}
      <Anchor
        component={Link}
        size="sm"
        to={
          kind.parents.length > 0 ? `${page(`kinds/${kind.noun}`)}?in=${parent}` : list(kind.noun)
        }
      >
        {capital(plural(kind))}
      </Anchor>
    </Breadcrumbs>
  );
}

function Parts({ kind, resource }: { kind: Kind; resource: Document }) {
  const [query, setQuery] = useSearchParams();
  const shown = tabs.filter((tab) => tab.when(kind, resource));
  const wanted = query.get("tab") ?? "summary";
  const current = shown.some((tab) => tab.id === wanted) ? wanted : "summary";
  return (
    <Tabs
      value={current}
      onChange={(tab) => setQuery(tab && tab !== "summary" ? { tab } : {}, { replace: true })}
      keepMounted={false}
    >
      <Tabs.List mb="md" className="scrolls" ref={toChosen}>
        <Tabs.Tab value="summary">Summary</Tabs.Tab>
        {shown.map((tab) => (
          <Tabs.Tab key={tab.id} value={tab.id}>
            {tab.label}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      <Tabs.Panel value="summary">
        <Summary kind={kind} resource={resource} />
      </Tabs.Panel>
      {shown.map(({ id, content: Content }) => (
        <Tabs.Panel key={id} value={id}>
          <Suspense fallback={<PageSkeleton />}>
            <Content kind={kind} resource={resource} />
          </Suspense>
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}

/** It is not there: it was deleted while one looked, or never was. */
function Gone(props: { kind: Kind; names: string[]; last: Document | undefined }) {
  const { kind, names, last } = props;
  const { list } = useAddress();
  const name = names.at(-1) ?? "";
  return (
    <Stack align="flex-start">
      <PageHead title={last ? `${name} was deleted` : `There is no ${kind.noun} ${name}`} />
      <Text>
        {last
          ? "What it cost and what happened with it is kept: see billing and audit."
          : "The name is wrong, it was deleted, or you may not know of it."}
      </Text>
      <Anchor component={Link} to={list(kind.noun)}>
        All {plural(kind)}
      </Anchor>
    </Stack>
  );
}
