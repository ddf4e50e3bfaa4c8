/**
 * What is wrong in a form, in words, by the pointer of the field (`/volumes/0/path`): before
 * sending, and of what the server says after it.
 */

import { type Draft, type GroupNode, isGroup, isPairs, type Node, type NumberNode } from "./node";
import { split } from "./shell";
import { examples, readAmount, writeAmount } from "./units";
import { readJson } from "./values";

export type Problems = ReadonlyMap<string, string>;

/** All that keeps the form from being sent. */
export function problemsIn(form: GroupNode, draft: Draft): Problems {
  const found = new Map<string, string>();
  check(form, draft, "", found);
  return found;
}

function check(node: Node, draft: Draft | undefined, at: string, found: Map<string, string>): void {
  switch (node.kind) {
    case "group":
      if (!isGroup(draft)) return;
      for (const field of node.fields) {
        check(field, draft[field.name], `${at}/${escaped(field.name)}`, found);
      }
      return;
    case "list":
      checkList(node, draft, at, found);
      return;
    case "map":
      checkMap(node, draft, at, found);
      return;
    default: {
      const said = wrong(node, draft);
      if (said !== undefined) found.set(at, said);
    }
  }
}

function checkList(
  node: Node & { kind: "list" },
  draft: Draft | undefined,
  at: string,
  found: Map<string, string>,
): void {
  const items = (Array.isArray(draft) ? draft : []) as readonly Draft[];
  const filled = items.filter((item) => item !== "");
  if (filled.length < node.minItems && (node.required || filled.length > 0)) {
    found.set(
      at,
      node.minItems === 1 ? "Needs at least one" : `Needs at least ${String(node.minItems)}`,
    );
  } else if (filled.length > node.maxItems) {
    found.set(at, `At most ${String(node.maxItems)}`);
  }
  filled.forEach((item, index) => {
    check(node.item, item, `${at}/${String(index)}`, found);
  });
}

function checkMap(
  node: Node & { kind: "map" },
  draft: Draft | undefined,
  at: string,
  found: Map<string, string>,
): void {
  const rows = isPairs(draft) ? draft.rows : [];
  const seen = new Set<string>();
  for (const [key, value] of rows) {
    const name = key.trim();
    if (name === "") {
      if (value !== "") found.set(at, "A value needs a name");
      continue;
    }
    if (seen.has(name)) found.set(at, `${name} stands here twice`);
    seen.add(name);
    if (node.keyPattern !== undefined && !matches(node.keyPattern, name)) {
      found.set(at, `${name} can't be a name here: letters, digits and _, no digit first`);
    }
    check(node.item, value, `${at}/${escaped(name)}`, found);
  }
  if (seen.size > node.maxItems) found.set(at, `At most ${String(node.maxItems)}`);
}

/** What is wrong with a single value. */
function wrong(node: Node, draft: Draft | undefined): string | undefined {
  if (typeof draft !== "string") return undefined;
  const empty = draft.trim() === "";
  if (empty && node.required && node.kind !== "words") {
    return node.kind === "text" && node.minLength === 0 && node.pattern === undefined
      ? undefined
      : "Needs to be filled in";
  }
  if (empty) return undefined;
  switch (node.kind) {
    case "number":
      return wrongNumber(node, draft);
    case "words":
      return split(draft) === undefined ? "A quote is not closed" : undefined;
    case "json":
      return readJson(draft) === undefined
        ? "Not JSON: check quotes, commas and brackets"
        : undefined;
    case "reference":
      return draft.length > node.maxLength ? tooLong(node.maxLength) : undefined;
    case "text":
      return wrongText(node, draft);
    default:
      return undefined;
  }
}

function wrongNumber(node: NumberNode, draft: string): string | undefined {
  const value = readAmount(draft, node.unit, node.whole);
  if (value === undefined) {
    const what = node.unit === "" ? (node.whole ? "a whole number" : "a number") : "an amount";
    return `Not ${what}: write it ${examples(node.unit)}`;
  }
  if (node.minimum !== undefined && value < node.minimum) {
    return `At least ${writeAmount(node.minimum, node.unit)}`;
  }
  return node.maximum !== undefined && value > node.maximum
    ? `At most ${writeAmount(node.maximum, node.unit)}`
    : undefined;
}

function wrongText(node: Node & { kind: "text" }, draft: string): string | undefined {
  const text = draft.trim();
  if (text.length > node.maxLength) return tooLong(node.maxLength);
  if (text.length < node.minLength) return `At least ${String(node.minLength)} characters`;
  if (node.unit === "time") {
    return Number.isNaN(Date.parse(text))
      ? "Not a time: write it such as 2027-01-31T12:00:00Z"
      : undefined;
  }
  if (node.pattern === undefined || matches(node.pattern, text)) return undefined;
  if (node.unit === "money") return `Not an amount of money: write it ${examples("money")}`;
  if (node.unit === "date") return "Not a date: write it such as 2027-01-31";
  return `Does not look right${node.help === "" ? "" : `: ${lowered(node.help)}`}`;
}

function tooLong(most: number): string {
  return `Too long: at most ${String(most)} characters`;
}

function lowered(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}

/** Whether a text matches; a pattern that this browser can't read is left to the server. */
function matches(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern, "u").test(text);
  } catch {
    return true;
  }
}

function escaped(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** Where the server saw a problem, as RFC 9457 documents of this cloud say it. */
export interface ProblemSource {
  readonly pointer?: string;
  readonly detail?: string;
}

/** The server's words at their fields, and those that belong to none. */
export interface Told {
  readonly at: Problems;
  readonly rest: readonly string[];
}

/**
 * Puts each source of a problem at the deepest field that is there for it. A source says where; what
 * is wrong it says itself, or the problem's detail does.
 */
export function placed(form: GroupNode, detail: string, sources: readonly ProblemSource[]): Told {
  const at = new Map<string, string>();
  const rest: string[] = [];
  for (const source of sources) {
    const words = sentence(source.detail ?? detail);
    const field = fieldAt(form, source.pointer ?? "");
    if (field === undefined) rest.push(words);
    else at.set(field, words);
  }
  if (sources.length === 0) rest.push(sentence(detail));
  return { at, rest };
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The pointer within the form for one into the document (`/spec/volumes/0/path`). */
function fieldAt(form: GroupNode, pointer: string): string | undefined {
  const [, top, ...steps] = pointer.split("/");
  if (top !== "spec" || steps.length === 0) return undefined;
  let node: Node = form;
  let at = "";
  for (const step of steps) {
    const next: Node | undefined = below(node, step);
    if (next === undefined) break;
    node = next;
    at += `/${step}`;
  }
  return at === "" ? undefined : at;
}

function below(node: Node, step: string): Node | undefined {
  if (node.kind === "group") return node.fields.find((field) => escaped(field.name) === step);
  return node.kind === "list" || node.kind === "map" ? node.item : undefined;
}
