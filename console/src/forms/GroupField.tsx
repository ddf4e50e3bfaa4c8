/** Fields that belong together; an optional group is switched on first. */
import { Fieldset, SimpleGrid, Stack, Switch, Text } from "@mantine/core";
import { Field, type FieldProps, isWide } from "./Field";
import { type Draft, type GroupNode, isGroup, type Node } from "./node";
import { draftOf } from "./values";

export function GroupField(props: FieldProps & { node: GroupNode }) {
  const { node, draft, change, fixed } = props;
  const locked = fixed && node.immutable;
  const there = isGroup(draft);
  return (
    <Fieldset legend={props.bare ? undefined : node.label} disabled={locked} radius="md">
      <Stack gap="sm">
        {node.help !== "" && !props.bare ? (
          <Text size="xs" c="dimmed">
            {node.help}
          </Text>
        ) : null}
        {node.nullable ? (
          <Switch
            label={`Say more of ${node.label.toLowerCase()}`}
            checked={there}
            onChange={(event) =>
              change(event.currentTarget.checked ? draftOf({ ...node, nullable: false }, {}) : null)
            }
          />
        ) : null}
        {there || !node.nullable ? <Fields {...props} nodes={node.fields} /> : null}
      </Stack>
    </Fieldset>
  );
}

interface FieldsProps extends Omit<FieldProps, "node" | "bare"> {
  nodes: readonly Node[];
}

/** Some of a group's fields, two beside each other where there is room. */
export function Fields({ nodes, at, draft, change, ...rest }: FieldsProps) {
  const group: Record<string, Draft> = isGroup(draft) ? draft : {};
  return (
    <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="md" verticalSpacing="sm">
      {nodes.map((node) => (
        <div key={node.name} style={isWide(node) ? { gridColumn: "1 / -1" } : undefined}>
          <Field
            {...rest}
            node={node}
            at={`${at}/${node.name.replaceAll("~", "~0").replaceAll("/", "~1")}`}
            draft={group[node.name]}
            change={(next) => change({ ...group, [node.name]: next })}
          />
        </div>
      ))}
    </SimpleGrid>
  );
}
