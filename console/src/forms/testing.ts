/** What the tests of forms share: the committed catalogue, and an example of every spec. */

import catalogue from "../../../src/skerry/cli/catalogue.json";
import { formOf } from "./build";
import type { GroupNode, Node } from "./node";
import type { FormKind, Schemas } from "./schema";
import type { Spec } from "./values";

interface Told {
  readonly kinds: readonly (FormKind & { readonly ops: readonly string[] })[];
  readonly schemas: Schemas;
}

export const told = catalogue as unknown as Told;

export function form(noun: string): GroupNode {
  const kind = told.kinds.find((found) => found.noun === noun);
  if (kind === undefined) throw new Error(`no kind ${noun}`);
  return formOf(kind, told.schemas);
}

/** A value that the schema allows and that is not the default, different for each `seed`. */
export function example(node: Node, seed: number): unknown {
  switch (node.kind) {
    case "switch":
      return node.fallback !== true;
    case "number": {
      const least = node.minimum ?? 0;
      const most = node.maximum ?? least + 100000;
      const value = Math.min(most, Math.ceil(least) + ((seed * 7919) % 1000) + 1);
      return value === node.fallback ? value - 1 : value;
    }
    case "choice":
      return node.options.find((option) => option !== node.fallback);
    case "words":
      return ["sh", "-c", `echo "it's ${String(seed)}"; exit 0`, ""];
    case "list":
      return [example(node.item, seed), example(node.item, seed + 1)].slice(
        0,
        Math.max(1, seed % 3),
      );
    case "map":
      return { KEY: example(node.item, seed), OTHER: example(node.item, seed + 5) };
    case "json":
      return { a: [seed, { b: null }] };
    case "reference":
      return node.wrapped ? { resource: `r${String(seed)}` } : `r${String(seed)}`;
    case "text":
      return node.secret
        ? `hush ${String(seed)}`
        : node.unit === "money"
          ? `${String(seed)}.50`
          : `text ${String(seed)}`;
    case "group":
      return Object.fromEntries(
        node.fields
          .filter((field, index) => field.required || (index + seed) % 2 === 0)
          .map((field, index) => [field.name, example(field, seed + index)]),
      );
  }
}

/** Groups that say nothing are left out where they may be. */
export function pruned(node: GroupNode, spec: Spec): Spec {
  return Object.fromEntries(
    Object.entries(spec).flatMap(([name, value]) => {
      const field = node.fields.find((found) => found.name === name);
      if (field?.kind !== "group") return [[name, value]];
      const inner = pruned(field, value as Spec);
      const said = Object.keys(inner).length > 0 || field.required || field.nullable;
      return said ? [[name, inner]] : [];
    }),
  );
}
