/** Between a spec and what stands in its form. What is the default anyway is not said in a spec. */

import { type Draft, type GroupNode, isGroup, isPairs, type Node } from "./node";
import { joined, split } from "./shell";
import { readAmount, writeAmount } from "./units";

export type Spec = Record<string, unknown>;

/** What stands in a fresh form, or in that of a spec that is there. */
export function draftOf(node: Node, value?: unknown): Draft {
  const found = value ?? (node.nullable ? undefined : node.fallback);
  switch (node.kind) {
    case "switch":
      return found === true;
    case "number":
      return typeof found === "number" ? writeAmount(found, node.unit) : "";
    case "words":
      return Array.isArray(found) ? joined(found.map(String)) : "";
    case "list":
      if (!Array.isArray(found)) return needsOne(node) ? [draftOf(node.item)] : [];
      return found.map((item: unknown) => draftOf(node.item, item));
    case "map":
      return {
        rows: Object.entries(isSpec(found) ? found : {}).map(
          ([key, item]) => [key, draftOf(node.item, item)] as const,
        ),
      };
    case "group":
      if (node.nullable && !isSpec(found)) return null;
      return groupDraft(node, isSpec(found) ? found : {});
    case "reference":
      if (node.wrapped && isSpec(found)) return String(found.resource ?? "");
      return typeof found === "string" ? found : "";
    case "json":
      return found === undefined ? "" : JSON.stringify(found, null, 2);
    default:
      return typeof found === "string" || typeof found === "number" ? String(found) : "";
  }
}

/** Whether a list must have one, and an empty one will do: a scope that restricts nothing. */
function needsOne(node: Node & { kind: "list" }): boolean {
  const { item } = node;
  if (!node.required || node.minItems === 0 || item.kind !== "group") return false;
  return item.fields.every((field) => !field.required);
}

function groupDraft(node: GroupNode, value: Spec): Draft {
  return Object.fromEntries(
    node.fields.map((field) => [field.name, draftOf(field, value[field.name])]),
  );
}

function isSpec(value: unknown): value is Spec {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The spec that a form makes. What can't be read is left out; `problemsIn` says it. */
export function specOf(form: GroupNode, draft: Draft): Spec {
  const made: Spec = {};
  if (!isGroup(draft)) return made;
  for (const field of form.fields) {
    const value = readValue(field, draft[field.name]);
    if (value === undefined || (!field.required && isDefault(field, value))) continue;
    made[field.name] = value;
  }
  return made;
}

function isDefault(node: Node, value: unknown): boolean {
  if (node.fallback === undefined) return isEmpty(value) && node.kind !== "group";
  if (same(value, node.fallback)) return true;
  return node.kind === "group" && !node.nullable && isEmpty(value);
}

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return value === "" || value === false || (isSpec(value) && Object.keys(value).length === 0);
}

/** The value of one node; undefined where there is none. */
export function readValue(node: Node, draft: Draft | undefined): unknown {
  switch (node.kind) {
    case "switch":
      return draft === true;
    case "number":
      return typeof draft === "string" && draft.trim() !== ""
        ? readAmount(draft, node.unit, node.whole)
        : undefined;
    case "words":
      return typeof draft === "string" ? split(draft) : undefined;
    case "list":
      return Array.isArray(draft)
        ? listValue(node.item, draft as readonly Draft[], node.nullable)
        : undefined;
    case "map":
      return mapValue(node.item, draft, node.nullable);
    case "group":
      return isGroup(draft) ? specOf(node, draft) : undefined;
    case "json":
      return typeof draft === "string" ? readJson(draft) : undefined;
    default:
      return textValue(node, draft);
  }
}

function textValue(node: Node, draft: Draft | undefined): unknown {
  if (typeof draft !== "string") return undefined;
  // What is typed unseen may begin or end with a space; nothing else means to.
  const text = node.secret || (node.kind === "text" && node.long) ? draft : draft.trim();
  if (text === "" && (node.nullable || !node.required)) return undefined;
  return node.kind === "reference" && node.wrapped ? { resource: text } : text;
}

function listValue(item: Node, drafts: readonly Draft[], nullable: boolean): unknown {
  const values = drafts
    .map((draft) => (draft === "" ? undefined : readValue(item, draft)))
    .filter((value) => value !== undefined);
  return nullable && values.length === 0 ? undefined : values;
}

function mapValue(item: Node, draft: Draft | undefined, nullable: boolean): unknown {
  if (!isPairs(draft)) return undefined;
  const rows = draft.rows.filter(([key]) => key.trim() !== "");
  if (nullable && rows.length === 0) return undefined;
  return Object.fromEntries(
    rows.map(([key, inner]) => [
      key.trim(),
      readValue(item, inner) ?? (item.kind === "json" ? null : ""),
    ]),
  );
}

/** JSON as typed; undefined for nothing, and for what is none. */
export function readJson(text: string): unknown {
  if (text.trim() === "") return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Whether two JSON values say the same. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, at) => same(item, b[at]));
  }
  if (!isSpec(a) || !isSpec(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length && keys.every((key) => key in b && same(a[key], b[key]))
  );
}
