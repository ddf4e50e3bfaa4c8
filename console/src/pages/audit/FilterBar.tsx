/** What of the past is shown. */
import { Group, Select, Switch, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useState } from "react";
import { useCatalogue } from "~/api/catalogue";
import { Icon } from "~/parts/Icon";
import type { Filters } from "./events";

const SINCE = [
  { value: "", label: "At any time" },
  { value: "-1h", label: "In the last hour" },
  { value: "-1d", label: "In the last day" },
  { value: "-7d", label: "In the last 7 days" },
  { value: "-30d", label: "In the last 30 days" },
];
/** Kinds of change that are no kinds of resource. */
const OTHERS = ["look", "action", "decision", "alert", "output", "settlement", "backup"];
const VERBS = ["put", "delete", "deleted", "status", "logs", "files", "enter", "exec", "connect"];

interface Props {
  filters: Filters;
  change: (some: Partial<Filters>) => void;
}

export function FilterBar({ filters, change }: Props) {
  const catalogue = useCatalogue();
  const kinds = [...new Set([...catalogue.kinds.map((kind) => kind.noun), ...OTHERS])].sort();
  return (
    <Group gap="xs" wrap="wrap">
      <Words label="Search names" value={filters.search} change={(search) => change({ search })} />
      <Words
        key={filters.actor === "@" ? "@" : ""}
        label="Who, as ann@acme"
        value={filters.actor === "@" ? "" : filters.actor}
        change={(actor) => change({ actor })}
      />
      <Select
        aria-label="When"
        data={SINCE}
        value={filters.from}
        onChange={(from) => change({ from: from ?? "" })}
        allowDeselect={false}
        w={170}
      />
      <Select
        aria-label="Kind"
        placeholder="Any kind"
        data={kinds}
        value={filters.kinds || null}
        onChange={(found) => change({ kinds: found ?? "" })}
        searchable
        clearable
        w={150}
      />
      <Select
        aria-label="Verb"
        placeholder="Any verb"
        data={[...new Set([...VERBS, ...(filters.verb ? [filters.verb] : [])])]}
        value={filters.verb || null}
        onChange={(verb) => change({ verb: verb ?? "" })}
        searchable
        clearable
        w={130}
      />
      <Switch
        label="Accounts only"
        checked={filters.actor === "@"}
        onChange={(event) => change({ actor: event.currentTarget.checked ? "@" : "" })}
      />
    </Group>
  );
}

function Words(props: { label: string; value: string; change: (value: string) => void }) {
  const [text, setText] = useState(props.value);
  const later = useDebouncedCallback(props.change, 300);
  return (
    <TextInput
      aria-label={props.label}
      placeholder={props.label}
      leftSection={<Icon name="search" size={15} />}
      value={text}
      w={190}
      onChange={(event) => {
        setText(event.currentTarget.value);
        later(event.currentTarget.value.trim());
      }}
    />
  );
}
