/** Names with values, row by row. Sealed values are typed unseen. */
import { Group, TextInput } from "@mantine/core";
import { anyProblem, Field, type FieldProps } from "./Field";
import { type Draft, isPairs, type MapNode } from "./node";
import { Remove, Rows } from "./Rows";

type Row = readonly [string, Draft];

export function MapField(props: FieldProps & { node: MapNode }) {
  const { node, at, draft, change, problems, fixed } = props;
  const rows: readonly Row[] = isPairs(draft) ? draft.rows : [];
  const locked = fixed && node.immutable;
  const put = (index: number, row: Row) =>
    change({ rows: rows.map((old, other) => (other === index ? row : old)) });
  const kept = fixed && node.secret && !locked;
  const help = kept ? "Never shown. Leave it empty to keep those that are there." : node.help;
  return (
    <Rows
      label={node.label}
      help={locked ? "Can't be changed once it is made." : help}
      error={anyProblem(problems, at)}
      required={node.required}
      full={locked || rows.length >= node.maxItems}
      add={() => change({ rows: [...rows, ["", ""]] })}
    >
      {rows.map(([key, value], index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other name than their place
        <Group key={index} gap="xs" wrap="nowrap" align="flex-start">
          <TextInput
            aria-label={`Name ${index + 1} of ${node.label.toLowerCase()}`}
            placeholder="NAME"
            value={key}
            disabled={locked}
            onChange={(event) => put(index, [event.currentTarget.value, value])}
            onBlur={() => props.touch(at)}
            style={{ flex: 2, minWidth: 0 }}
            classNames={{ input: "mono" }}
            spellCheck={false}
          />
          <div style={{ flex: 3, minWidth: 0 }}>
            <Field
              {...props}
              node={{ ...node.item, label: `Value ${index + 1} of ${node.label.toLowerCase()}` }}
              at={`${at}/${key}`}
              draft={value}
              change={(next) => put(index, [key, next])}
              problems={NONE}
              bare
            />
          </div>
          <Remove
            label={`Remove ${key || "this row"}`}
            disabled={locked}
            remove={() => change({ rows: rows.filter((_, other) => other !== index) })}
          />
        </Group>
      ))}
    </Rows>
  );
}

/** A row's problem is said once, below all rows. */
const NONE: ReadonlyMap<string, string> = new Map();
