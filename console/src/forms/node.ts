/** The form of a spec: a tree of nodes, each of which knows how one value is written and read. */

import type { Unit } from "./units";

/** What all nodes have. */
export interface Common {
  /** The field's name in the spec; empty for the items of a list. */
  readonly name: string;
  readonly label: string;
  readonly help: string;
  readonly required: boolean;
  /** Whether nothing (null, or left out) is a value of its own. */
  readonly nullable: boolean;
  /** Never shown again, typed unseen, left out of quotes. */
  readonly secret: boolean;
  /** Can't be changed once it is there. */
  readonly immutable: boolean;
  /** What holds where nothing is written; undefined where there is no such thing. */
  readonly fallback: unknown;
}

export interface TextNode extends Common {
  readonly kind: "text";
  readonly long: boolean;
  readonly pattern: string | undefined;
  readonly minLength: number;
  readonly maxLength: number;
  /** Money is text to the API too, so that no digit is lost. */
  readonly unit: "" | "money" | "date" | "time";
}
export interface NumberNode extends Common {
  readonly kind: "number";
  readonly unit: Unit;
  readonly whole: boolean;
  readonly minimum: number | undefined;
  readonly maximum: number | undefined;
}
export interface SwitchNode extends Common {
  readonly kind: "switch";
}
export interface ChoiceNode extends Common {
  readonly kind: "choice";
  readonly options: readonly string[];
}
/** The name of another resource, or of what only the cloud knows: `source` says where to look. */
export interface ReferenceNode extends Common {
  readonly kind: "reference";
  readonly source: string;
  /** Whether it is written as SECA's object, `{resource: NAME}`. */
  readonly wrapped: boolean;
  readonly maxLength: number;
}
/** A command, written as in a shell. */
export interface WordsNode extends Common {
  readonly kind: "words";
}
export interface ListNode extends Common {
  readonly kind: "list";
  readonly item: Node;
  readonly minItems: number;
  readonly maxItems: number;
}
export interface MapNode extends Common {
  readonly kind: "map";
  readonly item: Node;
  readonly keyPattern: string | undefined;
  readonly maxItems: number;
}
export interface GroupNode extends Common {
  readonly kind: "group";
  readonly fields: readonly Node[];
}
/** What no other node can say: written as JSON. */
export interface JsonNode extends Common {
  readonly kind: "json";
}

export type Node =
  | TextNode
  | NumberNode
  | SwitchNode
  | ChoiceNode
  | ReferenceNode
  | WordsNode
  | ListNode
  | MapNode
  | GroupNode
  | JsonNode;

/**
 * What stands in the form: text as it was typed, on or off, and nested ones. null is an optional
 * group that is not there.
 */
export type Draft =
  | string
  | boolean
  | null
  | readonly Draft[]
  | Pairs
  | { readonly [name: string]: Draft };

/** A map keeps its rows in order, so that two can bear the same key while they are typed. */
export interface Pairs {
  readonly rows: readonly (readonly [string, Draft])[];
}

export function isPairs(draft: Draft | undefined): draft is Pairs {
  return typeof draft === "object" && draft !== null && Array.isArray((draft as Pairs).rows);
}

export function isGroup(draft: Draft | undefined): draft is { readonly [name: string]: Draft } {
  return typeof draft === "object" && draft !== null && !Array.isArray(draft) && !isPairs(draft);
}
