/** The shapes that all kinds share. */
import type { Condition, Metadata } from "./schema";

export type Json = unknown;

/** Any resource. Kinds' own types are in `schema.d.ts` (`JobDocument`). */
export interface Document {
  metadata: Metadata;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  extensions: Record<string, string>;
  spec: Record<string, Json>;
  status?: Record<string, Json> & { state?: string; conditions?: Condition[] };
}

export interface Page<T = Document> {
  items: T[];
  metadata: { skipToken?: string; total?: number };
}

/** JSON Schema 2020-12, as far as kinds use it. */
export interface Schema {
  $ref?: string;
  title?: string;
  description?: string;
  type?: string | string[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  items?: Schema;
  prefixItems?: Schema[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  enum?: (string | number | boolean | null)[];
  const?: Json;
  default?: Json;
  pattern?: string;
  format?: string;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  minProperties?: number;
  maxProperties?: number;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
}
