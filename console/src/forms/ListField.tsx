/** Lists: of words as tags, of choices as a choice of several, of groups row by row. */
import { Group, MultiSelect, Paper, TagsInput } from "@mantine/core";
import { choices } from "~/market/countries";
import { anyProblem, Field, type FieldProps } from "./Field";
import { Fields } from "./GroupField";
import { useNames } from "./names";
import type { Draft, ListNode } from "./node";
import { Remove, Rows } from "./Rows";
import { aboutOf } from "./Scalar";
import { draftOf } from "./values";

export function ListField(props: FieldProps & { node: ListNode }) {
  const { item } = props.node;
  if (item.kind === "choice") return <Choices {...props} options={item.options} />;
  if (item.kind === "reference") return <Names {...props} source={item.source} />;
  if (item.kind === "text" || item.kind === "number") return <Tags {...props} names={[]} />;
  return <Items {...props} />;
}

type ListProps = FieldProps & { node: ListNode };

function textsOf(draft: Draft | undefined): string[] {
  return Array.isArray(draft) ? (draft as readonly Draft[]).map(String) : [];
}

function Choices({ options, ...props }: ListProps & { options: readonly string[] }) {
  return (
    <MultiSelect
      {...aboutOf(props)}
      error={anyProblem(props.problems, props.at)}
      data={[...options]}
      value={textsOf(props.draft)}
      onChange={props.change}
    />
  );
}

function Names({ source, ...props }: ListProps & { source: string }) {
  return source === "country" ? <Countries {...props} /> : <Known {...props} source={source} />;
}

function Known({ source, ...props }: ListProps & { source: string }) {
  return <Tags {...props} names={useNames(source)} />;
}

/** Chosen by name, written as their codes. */
function Countries(props: ListProps) {
  const value = textsOf(props.draft);
  return (
    <MultiSelect
      {...aboutOf(props)}
      error={anyProblem(props.problems, props.at)}
      data={choices(value)}
      value={value}
      onChange={props.change}
      searchable
      clearable
      clearButtonProps={{ "aria-label": `Empty ${props.node.label.toLowerCase()}` }}
      nothingFoundMessage="No country is called that"
      placeholder={value.length === 0 ? "Search by name" : undefined}
      comboboxProps={{ shadow: "md" }}
    />
  );
}

function Tags({ names, ...props }: ListProps & { names: readonly string[] }) {
  const value = textsOf(props.draft);
  return (
    <TagsInput
      {...aboutOf(props)}
      error={anyProblem(props.problems, props.at)}
      data={[...names]}
      value={value}
      onChange={props.change}
      allowDuplicates={props.node.name === "command"}
      acceptValueOnBlur
      splitChars={[",", " "]}
      placeholder={value.length === 0 ? "Type, then Enter" : undefined}
    />
  );
}

/** One row for each; a row's fields as in a form. */
function Items(props: ListProps) {
  const { node, at, draft, change, bare: _bare, ...rest } = props;
  const items = Array.isArray(draft) ? (draft as readonly Draft[]) : [];
  const locked = props.fixed && node.immutable;
  const put = (index: number, next: Draft) =>
    change(items.map((item, other) => (other === index ? next : item)));
  return (
    <Rows
      label={node.label}
      help={node.help}
      error={props.problems.get(at)}
      required={node.required}
      full={locked || items.length >= node.maxItems}
      add={() => change([...items, draftOf({ ...node.item, nullable: false })])}
    >
      {items.map((item, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other name than their place
        <Paper key={index} withBorder p="sm">
          <Group align="flex-start" wrap="nowrap" gap="xs">
            <div style={{ flex: 1, minWidth: 0 }}>
              {node.item.kind === "group" ? (
                <Fields
                  {...rest}
                  nodes={node.item.fields}
                  at={`${at}/${index}`}
                  draft={item}
                  change={(next) => put(index, next)}
                />
              ) : (
                <Field
                  {...rest}
                  node={node.item}
                  at={`${at}/${index}`}
                  draft={item}
                  change={(next) => put(index, next)}
                  bare
                />
              )}
            </div>
            <Remove
              label={`Remove this of ${node.label.toLowerCase()}`}
              disabled={locked}
              remove={() => change(items.filter((_, other) => other !== index))}
            />
          </Group>
        </Paper>
      ))}
    </Rows>
  );
}
