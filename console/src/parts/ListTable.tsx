/**
 * A list of any kind: searched, sorted and paged by the server, live, with what can be done to
 * several. Search, order and filter are in the address, so that a list can be sent to somebody.
 */
import {
  ActionIcon,
  Anchor,
  Button,
  Group,
  Select,
  Stack,
  Text,
  TextInput,
  Tooltip,
} from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { type ReactNode, useEffect, useState } from "react";
import { Link, useSearchParams } from "react-router";
import { capital, type Kind, oneOf, plural, singular } from "~/api/catalogue";
import { useGlobalFeed } from "~/api/live";
import { type Asked, useList } from "~/api/queries";
import type { Document, Page } from "~/api/types";
import { useAddress, useScope } from "~/shell/scope";
import { Cell, columnsOf } from "./cells";
import { DataTable, type TableColumn } from "./DataTable";
import { DeleteMany } from "./DeleteMany";
import { EmptyState } from "./EmptyState";
import { counted } from "./formats";
import { Icon } from "./Icon";
import { ProblemAlert } from "./ProblemAlert";
import { RowsSkeleton } from "./Skeletons";

const LIMIT = 50;
const RIGHT = /cost|price|amount|balance|total|size|count|exit|replicas|spent|held|left/i;

/** What the server sorts by. */
const SORTS: Readonly<Record<string, string>> = {
  "metadata.createdAt": "created",
  "metadata.lastModifiedAt": "modified",
  "status.state": "state",
};
const STATES = ["pending", "creating", "active", "updating", "deleting", "error"];

/** What runs is looked for by when it began, all else by its name. */
function usual(kind: Kind): string {
  return kind.metered ? "-created" : "name";
}

interface Props {
  kind: Kind;
  /** Names of what it lives below. */
  parents?: readonly string[];
  /** Filters that are always on. */
  filter?: Asked;
  /** Columns after the kind's own. */
  more?: readonly TableColumn<Document>[];
  /** Beside the search. */
  tools?: ReactNode;
  /** Where there is none: a way to make one, or why that can't be. */
  empty?: ReactNode;
}

export function ListTable({ kind, parents = [], filter, more = [], tools, empty }: Props) {
  const scope = useScope();
  const [query, setQuery] = useSearchParams();
  const [tokens, setTokens] = useState<string[]>([]);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const search = query.get("q") ?? "";
  const sort = query.get("sort") ?? "";
  const wide = query.get("wide") === "1";
  const state = query.get("state") ?? "";
  const phased = kind.columns.some((column) => column.path === "status.phase");
  const asked = {
    ...filter,
    search,
    [phased ? "phase" : "state"]: state,
    sort: sort || usual(kind),
    count: true,
    limit: LIMIT,
    skipToken: tokens.at(-1) ?? "",
  };
  const found = useList(kind, scope, asked, parents);
  useGlobalFeed(kind, scope, parents);
  const change = (name: string, value: string): void => {
    setTokens([]);
    setChosen(new Set());
    setQuery(
      (before) => {
        const next = new URLSearchParams(before);
        if (value) next.set(name, value);
        else next.delete(name);
        return next;
      },
      { replace: true },
    );
  };
  const columns = useColumns(kind, wide, more);
  const removable = kind.ops.includes("delete");
  const narrowed = search !== "" || state !== "";
  // Where there is nothing, there is nothing to look for; what begins it stands in its place.
  const bare = found.data?.items.length === 0 && !narrowed && tokens.length === 0;
  return (
    <Stack gap="sm">
      <Group gap="xs" justify="space-between" display={bare ? "none" : undefined}>
        <Group gap="xs" flex={1}>
          <Search kind={kind} value={search} change={(value) => change("q", value)} />
          {kind.history ? (
            <States
              kind={kind}
              phased={phased}
              page={found.data}
              value={state}
              change={(value) => change("state", value)}
            />
          ) : null}
          {tools}
        </Group>
        <Group gap="xs">
          {chosen.size > 0 ? (
            <DeleteMany kind={kind} refs={chosen} done={() => setChosen(new Set())} />
          ) : null}
          {kind.columns.some((column) => column.wide) ? (
            <Tooltip label={wide ? "Fewer columns" : "More columns"}>
              <ActionIcon
                variant="default"
                size="lg"
                aria-pressed={wide}
                aria-label="More columns"
                onClick={() => change("wide", wide ? "" : "1")}
              >
                <Icon name="columns" />
              </ActionIcon>
            </Tooltip>
          ) : null}
        </Group>
      </Group>
      <Body
        kind={kind}
        found={found}
        narrowed={narrowed}
        clear={() => setQuery({}, { replace: true })}
        empty={empty}
      >
        {(page) => (
          <DataTable
            label={capital(plural(kind))}
            columns={columns}
            rows={page.items}
            rowKey={(item) => item.metadata.ref}
            sort={sort || usual(kind)}
            onSort={(by) => change("sort", by)}
            chosen={removable ? chosen : undefined}
            onChosen={setChosen}
            stale={found.isPlaceholderData}
          />
        )}
      </Body>
      <Pages page={found.data} kind={kind} tokens={tokens} setTokens={setTokens} />
    </Stack>
  );
}

function useColumns(kind: Kind, wide: boolean, more: readonly TableColumn<Document>[]) {
  const { resource } = useAddress();
  const first: TableColumn<Document> = {
    id: "name",
    title: "Name",
    sort: "name",
    cell: ({ metadata }) => (
      <Anchor component={Link} to={resource(metadata.ref) ?? "."} size="sm" fw={560}>
        {metadata.name}
      </Anchor>
    ),
  };
  const own = columnsOf(kind, wide).map(
    ({ title, path }): TableColumn<Document> => ({
      id: path,
      title: capital(title.toLowerCase()),
      sort: SORTS[path],
      right: RIGHT.test(path.slice(path.lastIndexOf(".") + 1)),
      cell: (item) => <Cell document={item} path={path} />,
    }),
  );
  return [first, ...own, ...more];
}

interface StatesProps {
  kind: Kind;
  /** Whether it has phases of its own, which say more than states. */
  phased: boolean;
  page: Page | undefined;
  value: string;
  change: (value: string) => void;
}

/** Only those in one state. Which phases a kind has is known from those that were seen. */
function States({ kind, phased, page, value, change }: StatesProps) {
  const [seen, setSeen] = useState<readonly string[]>([]);
  const here = phased ? phasesIn(page) : STATES;
  const every = [...new Set([...seen, ...here, ...(value ? [value] : [])])].sort();
  useEffect(() => {
    setSeen((before) => {
      const fresh = phasesIn(page).filter((phase) => !before.includes(phase));
      return fresh.length > 0 ? [...before, ...fresh] : before;
    });
  }, [page]);
  return (
    <Select
      aria-label={`State of ${plural(kind)}`}
      placeholder="Any state"
      data={(phased ? every : STATES).map((state) => ({ value: state, label: state }))}
      value={value || null}
      onChange={(state) => change(state ?? "")}
      clearable
      clearButtonProps={{ "aria-label": "Any state" }}
      w={{ base: "100%", xs: 160 }}
    />
  );
}

function phasesIn(page: Page | undefined): string[] {
  return (page?.items ?? []).flatMap(({ status }) =>
    typeof status?.phase === "string" && status.phase ? [status.phase] : [],
  );
}

function Search(props: { kind: Kind; value: string; change: (value: string) => void }) {
  const { kind, value, change } = props;
  const [text, setText] = useState(value);
  const later = useDebouncedCallback(change, 250);
  return (
    <TextInput
      type="search"
      aria-label={`Search ${plural(kind)}`}
      placeholder={`Search ${plural(kind)}`}
      leftSection={<Icon name="search" size={15} />}
      value={text}
      w={{ base: "100%", xs: 260 }}
      onChange={(event) => {
        setText(event.currentTarget.value);
        later(event.currentTarget.value.trim());
      }}
    />
  );
}

interface BodyProps {
  kind: Kind;
  found: ReturnType<typeof useList<Document>>;
  narrowed: boolean;
  clear: () => void;
  empty: ReactNode;
  children: (page: Page) => ReactNode;
}

function Body({ kind, found, narrowed, clear, empty, children }: BodyProps) {
  const { page } = useAddress();
  const { workspace } = useScope();
  if (found.isError) return <ProblemAlert error={found.error} retry={() => void found.refetch()} />;
  if (kind.scope === "workspace" && !workspace) {
    return (
      <EmptyState title="There is no workspace yet">Make one first; things live there.</EmptyState>
    );
  }
  if (!found.data) return <RowsSkeleton />;
  if (found.data.items.length > 0) return children(found.data);
  if (narrowed) {
    return (
      <EmptyState
        icon="search"
        title={`No ${singular(kind)} has that in it`}
        action={
          <Button variant="default" onClick={clear}>
            Show all
          </Button>
        }
      />
    );
  }
  const makes = kind.ops.includes("put") && !kind.operatorOnly;
  return (
    <EmptyState
      title={`There are no ${plural(kind)} yet`}
      action={
        empty ??
        (makes ? (
          <Button component={Link} to={page(`create/${kind.noun}`)}>
            Create {oneOf(kind)}
          </Button>
        ) : null)
      }
    >
      {kind.summary}.
    </EmptyState>
  );
}

interface PagesProps {
  page: Page | undefined;
  kind: Kind;
  tokens: string[];
  setTokens: (tokens: string[]) => void;
}

function Pages({ page, kind, tokens, setTokens }: PagesProps) {
  const next = page?.metadata.skipToken;
  const first = tokens.length * LIMIT + 1;
  const count = page?.items.length ?? 0;
  if (count === 0 && tokens.length === 0) return null;
  const total = page?.metadata.total;
  return (
    <Group justify="space-between">
      <Text size="xs" c="dimmed" className="tabular" role="status">
        {tokens.length === 0 && !next
          ? counted(count, singular(kind), plural(kind))
          : `${first}–${first + count - 1}${total === undefined ? "" : ` of ${total}`}`}
      </Text>
      {tokens.length > 0 || next ? (
        <Group gap="xs">
          <Button
            variant="default"
            size="xs"
            disabled={tokens.length === 0}
            onClick={() => setTokens(tokens.slice(0, -1))}
            leftSection={<Icon name="left" size={14} />}
          >
            Before
          </Button>
          <Button
            variant="default"
            size="xs"
            disabled={!next}
            onClick={() => next && setTokens([...tokens, next])}
            rightSection={<Icon name="right" size={14} />}
          >
            Next
          </Button>
        </Group>
      ) : null}
    </Group>
  );
}
