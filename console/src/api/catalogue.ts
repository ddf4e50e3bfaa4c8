/** The kinds that this cloud has, as it says at run time: `GET /catalogue.json`. */
import { createContext, useContext } from "react";
import { Problem } from "./problem";
import type { Schema } from "./types";

export type Op = "list" | "get" | "put" | "delete";

export interface Column {
  title: string;
  path: string;
  wide: boolean;
}

export interface Action {
  name: string;
  summary: string;
  spec: Schema | null;
}

export interface View {
  name: string;
  summary: string;
  media: string;
  deep: boolean;
  query: Record<string, string>;
}

export interface Channel {
  name: string;
  summary: string;
  spec: Schema;
}

export interface Kind {
  noun: string;
  title: string;
  summary: string;
  provider: string;
  version: string;
  collection: string;
  scope: "global" | "tenant" | "workspace";
  parents: { collection: string; parameter: string }[];
  ops: Op[];
  regional: boolean;
  history: boolean;
  operatorOnly: boolean;
  quotable: boolean;
  metered: boolean;
  immutable: string[];
  secrets: string[];
  refs: { field: string; kind: string }[];
  columns: Column[];
  actions: Action[];
  views: View[];
  channels: Channel[];
  spec: Schema;
  status: Schema;
}

/** Where something is: the tenant and the workspace ("" for none). */
export interface Scope {
  tenant: string;
  workspace: string;
}

const FORMAT = "skerry-catalogue/1";
const PREFIX = "#/schemas/";

export interface CatalogueDocument {
  format: string;
  kinds: Kind[];
  schemas: Record<string, Schema>;
}

export class Catalogue {
  readonly kinds: readonly Kind[];
  private readonly byNoun: ReadonlyMap<string, Kind>;
  readonly schemas: Readonly<Record<string, Schema>>;

  constructor(document: CatalogueDocument) {
    if (document.format !== FORMAT) {
      throw new Problem({
        status: -1,
        title: "This console is of another version than the cloud",
        detail: `The cloud speaks ${document.format}, the console ${FORMAT}.`,
        hint: "Load the page again.",
      });
    }
    this.kinds = document.kinds;
    this.byNoun = new Map(document.kinds.map((kind) => [kind.noun, kind]));
    this.schemas = document.schemas;
  }

  find(noun: string): Kind | undefined {
    return this.byNoun.get(noun);
  }

  /** Raises `Problem` where this cloud has no such kind. */
  kind(noun: string): Kind {
    const found = this.byNoun.get(noun);
    if (found) return found;
    throw new Problem({
      status: 404,
      title: "There is no such kind",
      detail: `This cloud has no ${noun}.`,
    });
  }

  /** The kind that a reference is of: `skerry.run/v1/tenants/…/jobs/x`. */
  ofRef(ref: string): Kind | undefined {
    const parts = ref.split("/");
    const provider = parts[0];
    const below = parts.slice(2).filter((_, index) => index % 2 === 0);
    const scopes = below[0] === "tenants" ? (below[1] === "workspaces" ? 2 : 1) : 0;
    // A tenant and a workspace are themselves kinds: `tenants/acme`, `tenants/acme/workspaces/x`.
    const path = below.slice(Math.min(scopes, below.length - 1));
    return this.kinds.find(
      (kind) =>
        kind.provider === provider &&
        [...kind.parents.map((parent) => parent.collection), kind.collection].join() ===
          path.join(),
    );
  }

  /** Kinds that live below one in the path: snapshots below a volume. */
  below(kind: Kind): Kind[] {
    return this.kinds.filter(
      (other) =>
        other.provider === kind.provider &&
        other.parents.length === kind.parents.length + 1 &&
        other.parents.at(-1)?.collection === kind.collection,
    );
  }

  /** The kind above one that lives below another. */
  above(kind: Kind): Kind | undefined {
    const collection = kind.parents.at(-1)?.collection;
    return this.kinds.find(
      (other) => other.provider === kind.provider && other.collection === collection,
    );
  }

  /** A schema with its outer `$ref` followed and the null of what may be missing taken away. */
  resolve(schema: Schema): Schema {
    if (schema.$ref) {
      const { $ref, ...rest } = schema;
      const target = this.schemas[$ref.slice(PREFIX.length)] ?? {};
      return this.resolve({ ...target, ...rest });
    }
    const some = schema.anyOf?.filter((choice) => choice.type !== "null");
    if (some?.length === 1 && some[0] && some.length !== schema.anyOf?.length) {
      const { anyOf: _, ...rest } = schema;
      const { default: unset, ...inner } = { ...this.resolve(some[0]), ...rest };
      return unset === undefined || unset === null ? inner : { ...inner, default: unset };
    }
    return schema;
  }
}

/** A collection's path in the API. `parents`: names of what it lives below, outermost first. */
export function collectionPath(kind: Kind, scope: Scope, parents: readonly string[] = []): string {
  const parts = ["/providers", kind.provider, kind.version];
  if (kind.scope !== "global") parts.push("tenants", encodeURIComponent(scope.tenant));
  if (kind.scope === "workspace") parts.push("workspaces", encodeURIComponent(scope.workspace));
  kind.parents.forEach(({ collection }, index) => {
    parts.push(collection, encodeURIComponent(parents[index] ?? ""));
  });
  return [...parts, kind.collection].join("/");
}

/** A resource's path in the API. `names`: those of what it lives below, then its own. */
export function resourcePath(kind: Kind, scope: Scope, names: readonly string[]): string {
  const own = encodeURIComponent(names.at(-1) ?? "");
  return `${collectionPath(kind, scope, names.slice(0, -1))}/${own}`;
}

/** The names in a reference, of what a resource lives below and its own: `["data", "monday"]`. */
export function namesIn(kind: Kind, ref: string): string[] {
  const parts = ref.split("/");
  const own = parts.slice(-2 * (kind.parents.length + 1));
  return own.filter((_, index) => index % 2 === 1);
}

/** What a kind is called where there are several of it: "service accounts". */
export function plural(kind: Kind): string {
  const words = kind.noun.replaceAll("-", " ");
  if (/[^aeiou]y$/.test(words)) return `${words.slice(0, -1)}ies`;
  return /(s|x|ch|sh)$/.test(words) ? `${words}es` : `${words}s`;
}

/** What one of it is called: "service account". */
export function singular(kind: Kind): string {
  return kind.noun.replaceAll("-", " ");
}

/** One of it, with its article: "an invitation", "a user". */
export function oneOf(kind: Kind): string {
  const name = singular(kind);
  return `${/^[aeio]/.test(name) ? "an" : "a"} ${name}`;
}

/** With a capital. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export const CatalogueContext = createContext<Catalogue | null>(null);

/** The catalogue, inside the shell. */
export function useCatalogue(): Catalogue {
  const found = useContext(CatalogueContext);
  if (!found) throw new Error("the catalogue is read by the shell");
  return found;
}
