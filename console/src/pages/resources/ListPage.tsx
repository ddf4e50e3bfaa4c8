/** The resources of any kind. */
import { Button, Select, Stack, Tooltip } from "@mantine/core";
import { useEffect } from "react";
import { Link, useParams, useSearchParams } from "react-router";
import {
  capital,
  collectionPath,
  type Kind,
  plural,
  singular,
  useCatalogue,
} from "~/api/catalogue";
import { useList } from "~/api/queries";
import { useSignedIn } from "~/api/session";
import { Equivalent } from "~/parts/Equivalent";
import { Icon } from "~/parts/Icon";
import { ListTable } from "~/parts/ListTable";
import { PageHead } from "~/parts/PageHead";
import { NotFound } from "~/shell/NotFound";
import { useAddress, useScope } from "~/shell/scope";

export default function ListPage() {
  const { noun = "" } = useParams();
  const kind = useCatalogue().find(noun);
  return kind ? <Listed key={noun} kind={kind} /> : <NotFound what="kind" />;
}

function Listed({ kind }: { kind: Kind }) {
  const scope = useScope();
  const catalogue = useCatalogue();
  const above = catalogue.above(kind);
  const [query, setQuery] = useSearchParams();
  const parent = query.get("in") ?? "";
  const below = kind.parents.length > 0;
  const parents = below ? [parent] : [];
  const flags = kind.parents.flatMap(({ parameter }) => [`--${parameter}`, parent]);
  return (
    <Stack gap="md">
      <PageHead title={capital(plural(kind))} about={`${kind.summary}.`}>
        <CreateButton kind={kind} />
      </PageHead>
      {below && above ? (
        <Parent kind={above} value={parent} choose={(name) => setQuery({ in: name })} />
      ) : null}
      {!below || parent ? <ListTable kind={kind} parents={parents} key={parent} /> : null}
      <Equivalent
        command={[kind.noun, "list", ...flags]}
        call={{ method: "GET", path: collectionPath(kind, scope, parents) }}
      />
    </Stack>
  );
}

/** Which of the resources above it: snapshots are of a volume. */
function Parent(props: { kind: Kind; value: string; choose: (name: string) => void }) {
  const { kind, value, choose } = props;
  const found = useList(kind, useScope(), { limit: 1000 });
  const names = found.data?.items.map((item) => item.metadata.name) ?? [];
  const only = names.length > 0 && !value ? names[0] : undefined;
  useEffect(() => {
    if (only) choose(only);
  }, [only, choose]);
  return (
    <Select
      label={`Of which ${singular(kind)}`}
      data={names}
      value={value || null}
      onChange={(name) => name && choose(name)}
      searchable
      maw={320}
      placeholder={
        found.data && names.length === 0 ? `There is no ${singular(kind)} yet` : undefined
      }
    />
  );
}

/** To the form; disabled with the reason where it can't be. */
export function CreateButton({ kind }: { kind: Kind }) {
  const { page } = useAddress();
  const session = useSignedIn();
  if (!kind.ops.includes("put")) return null;
  const refused = kind.operatorOnly && !session.operator;
  const label = `Create ${singular(kind)}`;
  const icon = <Icon name="create" size={16} />;
  if (refused) {
    return (
      <Tooltip label="Only the operator of this cloud makes these.">
        <Button leftSection={icon} data-disabled aria-disabled onClick={(e) => e.preventDefault()}>
          {label}
        </Button>
      </Tooltip>
    );
  }
  return (
    <Button component={Link} to={page(`create/${kind.noun}`)} leftSection={icon}>
      {label}
    </Button>
  );
}
