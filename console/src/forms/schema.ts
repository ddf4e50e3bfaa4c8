/** The part of JSON Schema that a kind's spec is written in, as `GET /catalogue.json` tells it. */

export interface Schema {
  readonly title?: string;
  readonly description?: string;
  readonly type?: string;
  readonly format?: string;
  readonly $ref?: string;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly (string | number)[];
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly propertyNames?: Schema;
  readonly items?: Schema;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
}

export type Schemas = Readonly<Record<string, Schema>>;

/** What a form must know of a kind; the catalogue's kinds have all of it. */
export interface FormKind {
  readonly noun: string;
  readonly spec: Schema;
  readonly immutable: readonly string[];
  readonly secrets: readonly string[];
  readonly refs: readonly { readonly field: string; readonly kind: string }[];
}

/** A schema with its reference followed. What stands beside the reference wins: its description. */
export function resolved(schemas: Schemas, schema: Schema): Schema {
  if (schema.$ref === undefined) return schema;
  const { $ref, ...beside } = schema;
  const found = schemas[$ref.slice($ref.lastIndexOf("/") + 1)];
  return found === undefined ? beside : { ...resolved(schemas, found), ...beside };
}

/** A schema less its `null`, and whether null is one of its values. */
export function unwrapped(schemas: Schemas, schema: Schema): { inner: Schema; nullable: boolean } {
  const whole = resolved(schemas, schema);
  if (whole.anyOf === undefined) return { inner: whole, nullable: false };
  const { anyOf, ...beside } = whole;
  const choices = anyOf.filter((choice) => choice.type !== "null");
  const nullable = choices.length < anyOf.length;
  if (choices.length !== 1 || choices[0] === undefined) return { inner: whole, nullable };
  return { inner: { ...resolved(schemas, choices[0]), ...beside }, nullable };
}

/** Whether it is SECA's reference object, which people write as a name. */
export function isReference(schema: Schema): boolean {
  return schema.title === "Reference" && schema.properties?.resource !== undefined;
}
