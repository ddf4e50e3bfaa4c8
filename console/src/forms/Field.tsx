/** A field of a form, by what its node is. */
import type { Problems } from "./checks";
import { GroupField } from "./GroupField";
import { ListField } from "./ListField";
import { MapField } from "./MapField";
import type { Draft, Node } from "./node";
import {
  ChoiceField,
  JsonField,
  NumberField,
  ReferenceField,
  SwitchField,
  TextField,
  WordsField,
} from "./Scalar";

export interface FieldProps {
  node: Node;
  /** Its pointer within the form: `/volumes/0/path`. */
  at: string;
  draft: Draft | undefined;
  change: (draft: Draft) => void;
  problems: Problems;
  /** Whether the resource is there already, so that some fields can't be changed. */
  fixed: boolean;
  /** The person left a field: from now on its problems are shown. */
  touch: (at: string) => void;
  /** Without label and help, where a table's head says them. */
  bare?: boolean;
}

export function Field(props: FieldProps) {
  const { node } = props;
  switch (node.kind) {
    case "text":
      return <TextField {...props} node={node} />;
    case "number":
      return <NumberField {...props} node={node} />;
    case "switch":
      return <SwitchField {...props} node={node} />;
    case "choice":
      return <ChoiceField {...props} node={node} />;
    case "reference":
      return <ReferenceField {...props} node={node} />;
    case "words":
      return <WordsField {...props} />;
    case "list":
      return <ListField {...props} node={node} />;
    case "map":
      return <MapField {...props} node={node} />;
    case "group":
      return <GroupField {...props} node={node} />;
    default:
      return <JsonField {...props} />;
  }
}

/** Whether a field wants the whole width. */
export function isWide(node: Node): boolean {
  if (node.kind === "text") return node.long;
  if (node.kind === "list") return node.item.kind === "group" || node.item.kind === "json";
  return ["words", "map", "group", "json"].includes(node.kind);
}

/** What is wrong with a field or with anything in it, for controls that show it as one. */
export function anyProblem(problems: Problems, at: string): string | undefined {
  const own = problems.get(at);
  if (own !== undefined) return own;
  for (const [pointer, words] of problems) if (pointer.startsWith(`${at}/`)) return words;
  return undefined;
}
