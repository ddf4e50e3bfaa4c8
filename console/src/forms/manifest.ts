/** The document that `skerry apply -f` takes, and the API call that says the same. */

import { stringify } from "yaml";
import type { Target } from "./cli";
import type { GroupNode } from "./node";
import type { Spec } from "./values";

/**
 * A resource as YAML. Sealed values do not stand in it: each becomes `{env: NAME}`, the variable to
 * set before it is applied.
 */
export function manifestOf(form: GroupNode, target: Target, spec: Spec): string {
  const metadata = {
    name: target.name === "" ? "NAME" : target.name,
    ...(target.workspace === undefined ? {} : { workspace: target.workspace }),
    ...target.parents,
  };
  const labels = target.labels ?? {};
  const document = {
    kind: target.noun,
    metadata,
    ...(Object.keys(labels).length > 0 ? { labels } : {}),
    spec: opened(form, target.name, spec),
  };
  return stringify(document, { lineWidth: 0 });
}

/** A spec less its sealed values, each of them named instead. */
export function opened(form: GroupNode, name: string, spec: Spec): Spec {
  return Object.fromEntries(
    Object.entries(spec).map(([field, value]) => {
      const node = form.fields.find((found) => found.name === field);
      if (node?.secret !== true) return [field, value];
      if (typeof value !== "object" || value === null)
        return [field, { env: variable(name, field) }];
      return [
        field,
        Object.fromEntries(Object.keys(value).map((key) => [key, { env: variable(name, key) }])),
      ];
    }),
  );
}

function variable(name: string, key: string): string {
  return `${name}_${key}`
    .toUpperCase()
    .replace(/[^A-Z0-9]+/g, "_")
    .replace(/^_+|_+$/g, "");
}

/** The call as `skerry curl` makes it: sealed values are left to be filled in. */
export function callOf(
  form: GroupNode,
  path: string,
  spec: Spec,
  labels: Readonly<Record<string, string>> = {},
): { method: "PUT"; path: string; body: string } {
  const shown = Object.fromEntries(
    Object.entries(spec).map(([field, value]) => {
      const node = form.fields.find((found) => found.name === field);
      return [field, node?.secret === true ? hidden(value) : value];
    }),
  );
  const body = { ...(Object.keys(labels).length > 0 ? { labels } : {}), spec: shown };
  return { method: "PUT", path, body: JSON.stringify(body, null, 2) };
}

function hidden(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return "…";
  return Object.fromEntries(Object.keys(value).map((key) => [key, "…"]));
}
