/** From the schema of a spec to its form. Nothing here knows a kind; names and constraints tell. */

import type { Common, GroupNode, Node } from "./node";
import { type FormKind, isReference, type Schema, type Schemas, unwrapped } from "./schema";
import { unitOf } from "./units";
import { helpOf, labelOf } from "./words";

/** Fields that name something of the cloud, wherever they stand: what to offer for them. */
const NAMES: Readonly<Record<string, string>> = {
  region: "region",
  regions: "region",
  site: "site",
  workspace: "workspace",
  workspaces: "workspace",
  tenant: "tenant",
  tenants: "tenant",
  roles: "role",
  secondFactor: "role",
  volume: "volume",
  imageSecret: "secret",
  secret: "secret",
  gpuModel: "gpu-model",
  issuer: "issuer",
  operators: "operator",
  operator: "operator",
  jurisdictions: "country",
  jurisdiction: "country",
  country: "country",
  forbidden: "country",
};
const LONG = 4096;
const DEPTH = 6;

interface Place {
  readonly schemas: Schemas;
  readonly refs: ReadonlyMap<string, string>;
  /** The dotted path in the spec, with `*` for the items of lists. */
  readonly path: string;
  readonly depth: number;
  readonly about: Pick<Common, "name" | "required" | "secret" | "immutable">;
}

/** The form of a kind's spec: a group whose fields are those of the spec. */
export function formOf(kind: FormKind, schemas: Schemas): GroupNode {
  const { inner } = unwrapped(schemas, kind.spec);
  const refs = new Map(kind.refs.map((ref) => [ref.field, ref.kind]));
  const place: Place = {
    schemas,
    refs,
    path: "",
    depth: 0,
    about: { name: "", required: true, secret: false, immutable: false },
  };
  const fields = Object.entries(inner.properties ?? {}).map(([name, schema]) =>
    nodeOf(schema, {
      ...place,
      path: name,
      depth: 1,
      about: {
        name,
        required: inner.required?.includes(name) ?? false,
        secret: kind.secrets.includes(name),
        immutable: kind.immutable.includes(name),
      },
    }),
  );
  return { ...common(inner, place, false, ""), kind: "group", fields };
}

/**
 * Whether a nested field is one of those that its own kind seals. Within another kind (a job in a
 * schedule) nothing seals it, and the cloud refuses it there: the form does not ask for it.
 */
function saysSecret(schema: Schema): boolean {
  return /never shown again$/i.test(schema.description ?? "");
}

function common(schema: Schema, place: Place, nullable: boolean, help: string): Common {
  const { name } = place.about;
  return {
    ...place.about,
    label: labelOf(name),
    help,
    nullable,
    fallback: schema.default === null ? undefined : schema.default,
  };
}

/** The node of one value. */
function nodeOf(schema: Schema, place: Place): Node {
  const { inner, nullable } = unwrapped(place.schemas, schema);
  const { name } = place.about;
  const unit =
    inner.type === "integer" || inner.type === "number" ? unitOf(name, inner.description) : "";
  const base = common(inner, place, nullable, helpOf(inner.description ?? "", unit, labelOf(name)));
  const source = place.refs.get(place.path) ?? NAMES[name];
  if (isReference(inner)) {
    return { ...base, kind: "reference", source: source ?? "", wrapped: true, maxLength: 1024 };
  }
  if (inner.enum !== undefined) return { ...base, kind: "choice", options: inner.enum.map(String) };
  switch (inner.type) {
    case "boolean":
      return { ...base, kind: "switch" };
    case "integer":
    case "number":
      return {
        ...base,
        kind: "number",
        unit,
        whole: inner.type === "integer",
        minimum: inner.minimum,
        maximum: inner.maximum,
      };
    case "string":
      return textOf(inner, base, source);
    case "array":
      return listOf(inner, base, place);
    case "object":
      return objectOf(inner, base, place);
    default:
      return { ...base, kind: "json" };
  }
}

function textOf(schema: Schema, base: Common, source: string | undefined): Node {
  const maxLength = schema.maxLength ?? LONG;
  if (source !== undefined) {
    return { ...base, kind: "reference", source, wrapped: false, maxLength };
  }
  const pattern = schema.pattern ?? "";
  const unit =
    schema.format === "date-time"
      ? "time"
      : pattern.includes("20[0-9]{2}-[0-9]{2}")
        ? "date"
        : /\\\.\[0-9\]\{1,[39]\}/.test(pattern) && base.name !== "free"
          ? "money"
          : "";
  return {
    ...base,
    kind: "text",
    unit,
    long: maxLength > LONG,
    pattern: schema.pattern,
    minLength: schema.minLength ?? 0,
    maxLength,
  };
}

function listOf(schema: Schema, base: Common, place: Place): Node {
  const items = schema.items;
  if (items === undefined || place.depth > DEPTH) return { ...base, kind: "json" };
  if (base.name === "command" && items.type === "string") return { ...base, kind: "words" };
  const item = nodeOf(items, {
    ...place,
    path: `${place.path}.*`,
    depth: place.depth + 1,
    about: { ...place.about, required: true },
  });
  return {
    ...base,
    kind: "list",
    item: { ...item, help: "" },
    minItems: schema.minItems ?? 0,
    maxItems: schema.maxItems ?? Infinity,
  };
}

function objectOf(schema: Schema, base: Common, place: Place): Node {
  if (place.depth > DEPTH) return { ...base, kind: "json" };
  if (schema.properties !== undefined) {
    const fields = Object.entries(schema.properties)
      .filter(([, inner]) => place.about.secret || !saysSecret(inner))
      .map(([name, inner]) =>
        nodeOf(inner, {
          ...place,
          path: `${place.path}.${name}`,
          depth: place.depth + 1,
          about: {
            name,
            required: schema.required?.includes(name) ?? false,
            secret: place.about.secret,
            immutable: false,
          },
        }),
      );
    return { ...base, kind: "group", fields };
  }
  if (typeof schema.additionalProperties !== "object") return { ...base, kind: "json" };
  const item = nodeOf(schema.additionalProperties, {
    ...place,
    path: `${place.path}.*`,
    depth: place.depth + 1,
    about: { ...place.about, name: "", required: false },
  });
  return {
    ...base,
    kind: "map",
    item,
    keyPattern: schema.propertyNames?.pattern,
    maxItems: schema.maxProperties ?? Infinity,
  };
}
