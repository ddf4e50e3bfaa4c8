/** Fields that belong together; an optional group is switched on first. */
import { Fieldset, SimpleGrid, Stack, Switch, Text } from "@mantine/core";
import { Field, type FieldProps, isWide } from "./Field";
import { type Draft, type GroupNode, isGroup, type Node } from "./node";
import { SpecForm } from "./SpecForm";
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
        {there || !node.nullable ? <Inner {...props} /> : null}
      </Stack>
    </Fieldset>
  );
}

const MANY = 10;

/** A large group, such as the job of a schedule, has sections as a form of its own has. */
function Inner(props: FieldProps & { node: GroupNode }) {
  const { node, draft } = props;
  if (node.fields.length < MANY) return <Fields {...props} nodes={node.fields} />;
  return <SpecForm {...props} form={node} draft={draft ?? {}} />;
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
