/** The controls for one value: text, numbers with units, choices, names of other things. */
import {
  Autocomplete,
  PasswordInput,
  Select,
  Switch,
  Textarea,
  type TextareaProps,
  TextInput,
} from "@mantine/core";
import { choices } from "~/market/countries";
import type { FieldProps } from "./Field";
import { useNames } from "./names";
import type { ChoiceNode, NumberNode, ReferenceNode, SwitchNode, TextNode } from "./node";
import classes from "./Scalar.module.css";
import { examples } from "./units";

const FIXED = "Can't be changed once it is made.";

/** What every control is told of its field. */
export function aboutOf({ node, at, problems, fixed, touch, bare }: FieldProps) {
  const locked = fixed && node.immutable;
  const help = locked ? FIXED : node.help;
  return {
    label: bare ? undefined : node.label,
    "aria-label": bare ? node.label : undefined,
    description: bare || help === "" ? undefined : help,
    error: problems.get(at),
    disabled: locked,
    withAsterisk: node.required && !bare,
    onBlur: () => touch(at),
    id: `field${at.replaceAll("/", "-")}`,
    inputWrapperOrder: ["label", "input", "description", "error"] as (
      | "label"
      | "input"
      | "description"
      | "error"
    )[],
  };
}

export function TextField(props: FieldProps & { node: TextNode }) {
  const { node, draft, change, fixed } = props;
  const about = aboutOf(props);
  const value = typeof draft === "string" ? draft : "";
  const typed = (event: { currentTarget: { value: string } }) => change(event.currentTarget.value);
  if (node.secret) {
    const help = fixed ? "Never shown. Leave it empty to keep the one that is there." : node.help;
    // A key has lines, which a field for passwords would take out.
    if (node.long) return <UnseenText {...about} value={value} onChange={typed} />;
    return (
      <PasswordInput
        {...about}
        description={props.bare ? undefined : help}
        value={value}
        onChange={typed}
        autoComplete="new-password"
      />
    );
  }
  if (node.long) {
    return <Textarea {...about} value={value} onChange={typed} autosize minRows={2} maxRows={14} />;
  }
  const hint = node.unit === "money" ? examples("money") : fallbackOf(node.fallback);
  return (
    <TextInput
      {...about}
      value={value}
      onChange={typed}
      type={node.unit === "date" ? "date" : "text"}
      inputMode={node.unit === "money" ? "decimal" : undefined}
      placeholder={node.unit === "time" ? "2027-01-31T12:00:00Z" : hint}
      spellCheck={false}
      autoComplete="off"
    />
  );
}

/** Text of several lines, typed unseen. */
function UnseenText(props: TextareaProps) {
  return (
    <Textarea
      {...props}
      description={undefined}
      autosize
      minRows={1}
      maxRows={6}
      classNames={{ input: classes.unseen }}
      placeholder="Typed unseen"
      autoComplete="off"
      spellCheck={false}
    />
  );
}

function fallbackOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

export function NumberField(props: FieldProps & { node: NumberNode }) {
  const { node, draft, change } = props;
  return (
    <TextInput
      {...aboutOf(props)}
      value={typeof draft === "string" ? draft : ""}
      onChange={(event) => change(event.currentTarget.value)}
      inputMode={node.unit === "" ? "numeric" : undefined}
      placeholder={node.unit === "" ? undefined : examples(node.unit)}
      autoComplete="off"
    />
  );
}

export function SwitchField(props: FieldProps & { node: SwitchNode }) {
  const { node, draft, change } = props;
  const { withAsterisk: _a, inputWrapperOrder: _o, ...about } = aboutOf(props);
  return (
    <Switch
      {...about}
      label={node.label}
      mt={4}
      checked={draft === true}
      onChange={(event) => change(event.currentTarget.checked)}
    />
  );
}

export function ChoiceField(props: FieldProps & { node: ChoiceNode }) {
  const { node, draft, change } = props;
  return (
    <Select
      {...aboutOf(props)}
      data={[...node.options]}
      value={typeof draft === "string" && draft !== "" ? draft : null}
      onChange={(value) => change(value ?? "")}
      allowDeselect={!node.required && node.fallback === undefined}
      checkIconPosition="right"
    />
  );
}

/** Where leaving it empty restricts nothing. */
const ANY = new Set(["region", "site", "gpu-model", "operator", "workspace"]);

export function ReferenceField(props: FieldProps & { node: ReferenceNode }) {
  return props.node.source === "country" ? <Country {...props} /> : <Named {...props} />;
}

/** Chosen by name, written as its code. */
function Country(props: FieldProps & { node: ReferenceNode }) {
  const { node, draft, change } = props;
  const value = typeof draft === "string" && draft !== "" ? draft : null;
  return (
    <Select
      {...aboutOf(props)}
      data={choices(value ? [value] : [], false)[0]?.items ?? []}
      value={value}
      onChange={(code) => change(code ?? "")}
      searchable
      clearable={!node.required}
      clearButtonProps={{ "aria-label": `Empty ${node.label.toLowerCase()}` }}
      nothingFoundMessage="No country is called that"
      placeholder="Search by name"
    />
  );
}

/** Any name may be typed; those that are there are offered. */
function Named(props: FieldProps & { node: ReferenceNode }) {
  const { node, draft, change } = props;
  const about = aboutOf(props);
  const names = useNames(node.source, about.disabled !== true);
  return (
    <Autocomplete
      {...about}
      data={[...names]}
      limit={50}
      value={typeof draft === "string" ? draft : ""}
      onChange={change}
      placeholder={node.required ? "Search or type a name" : ANY.has(node.source) ? "Any" : "None"}
      comboboxProps={{ shadow: "md" }}
      spellCheck={false}
    />
  );
}

/** A command, as in a shell. */
export function WordsField(props: FieldProps) {
  return <Typed {...props} placeholder="python train.py --epochs 3" lines={[1, 10]} />;
}

export function JsonField(props: FieldProps) {
  return <Typed {...props} placeholder="{}" lines={[3, 20]} />;
}

/** Lines as a machine reads them; `lines` are the fewest and the most that are shown. */
function Typed(props: FieldProps & { placeholder: string; lines: [number, number] }) {
  const { draft, change, placeholder, lines } = props;
  return (
    <Textarea
      {...aboutOf(props)}
      value={typeof draft === "string" ? draft : ""}
      onChange={(event) => change(event.currentTarget.value)}
      autosize
      minRows={lines[0]}
      maxRows={lines[1]}
      placeholder={placeholder}
      classNames={{ input: "mono" }}
      spellCheck={false}
    />
  );
}
