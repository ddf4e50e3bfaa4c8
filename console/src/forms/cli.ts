/**
 * The command line that says the same as a form. The flags are those of `skerry NOUN create`, by the
 * rules of the command line itself; a test there reads what is written here.
 */

import type { GroupNode, Node } from "./node";
import { joined } from "./shell";
import { writeAmount } from "./units";
import { type Spec, same } from "./values";

/** Flags that every command has, or every `create`: a field of that name is `--spec-NAME`. */
const TAKEN = new Set([
  "output",
  "json",
  "context",
  "url",
  "token",
  "tenant",
  "workspace",
  "ca-file",
  "quiet",
  "debug",
  "help",
  "file",
  "set",
  "label",
  "annotation",
  "dry-run",
  "wait",
  "no-wait",
  "detach",
  "wait-timeout",
  "yes",
  "if-version",
]);
/** So deep objects have flags of their own; below, they are written as JSON. */
const DEPTH = 3;
const BYTES = /(memory|size|disk|bytes|[a-z]+Bytes)$/;
const SECONDS =
  /(seconds|timeLimit|timeout|ttl|idle|drain|grace|patience|progress|[a-zA-Z]+Seconds)$/;

export interface Target {
  readonly noun: string;
  readonly name: string;
  readonly workspace?: string | undefined;
  /** The names of the resources above it, by parameter (`volume` for a snapshot). */
  readonly parents?: Readonly<Record<string, string>> | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** The words of `skerry NOUN create NAME …`. */
export function createWords(form: GroupNode, target: Target, spec: Spec): string[] {
  const command = commandOf(form, spec);
  return [
    "skerry",
    target.noun,
    "create",
    named(target.name),
    ...aboutWords(target),
    ...specWords(form, spec),
    ...command,
  ];
}

/** The words of `skerry quote NOUN …`. */
export function quoteWords(form: GroupNode, target: Target, spec: Spec): string[] {
  const open = Object.fromEntries(
    Object.entries(spec).filter(
      ([name]) => !(form.fields.find((field) => field.name === name)?.secret ?? false),
    ),
  );
  return [
    "skerry",
    "quote",
    target.noun,
    "--name",
    named(target.name),
    ...aboutWords({ ...target, parents: undefined, labels: undefined }),
    ...specWords(form, open),
    ...commandOf(form, open),
  ];
}

/**
 * The words of `skerry NOUN update NAME …` with what has changed; undefined where flags can't say
 * it, as they only add to maps and groups: then a document can (`skerry apply -f`).
 */
export function updateWords(
  form: GroupNode,
  target: Target,
  before: Spec,
  after: Spec,
): string[] | undefined {
  const changed: Spec = {};
  const set: string[] = [];
  for (const field of form.fields) {
    const [old, now] = [before[field.name], after[field.name]];
    if (same(old, now)) continue;
    if (now === undefined && field.fallback !== undefined && !isObject(field.fallback)) {
      set.push("--set", assigned(field.name, field.fallback));
    } else if (now === undefined || (isObject(old) && isObject(now) && lacks(old, now))) {
      return undefined;
    } else {
      changed[field.name] = now;
    }
  }
  return [
    "skerry",
    target.noun,
    "update",
    named(target.name),
    ...aboutWords(target),
    ...specWords(form, changed),
    ...set,
    ...commandOf(form, changed),
  ];
}

/** As it is typed into a shell. */
export function typed(words: readonly string[]): string {
  return joined(words);
}

function named(name: string): string {
  return name === "" ? "NAME" : name;
}

function aboutWords(target: Target): string[] {
  const above = Object.entries(target.parents ?? {}).flatMap(([parameter, name]) => [
    `--${parameter.replaceAll("_", "-")}`,
    name,
  ]);
  const where = target.workspace === undefined ? [] : ["--workspace", target.workspace];
  const labels = Object.entries(target.labels ?? {}).flatMap(([key, value]) => [
    "--label",
    `${key}=${value}`,
  ]);
  return [...above, ...where, ...labels];
}

function isObject(value: unknown): value is Spec {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function lacks(old: Spec, now: Spec): boolean {
  return Object.entries(old).some(
    ([key, value]) =>
      !(key in now) || (isObject(value) && isObject(now[key]) && lacks(value, now[key])),
  );
}

/** Where the words after `--` go: its command, or that of what it starts. */
function commandOf(form: GroupNode, spec: Spec): string[] {
  const holder = commandPath(form);
  if (holder === undefined) return [];
  const inner = holder.length === 1 ? spec : spec[holder[0] ?? ""];
  const words = isObject(inner) ? inner.command : undefined;
  return Array.isArray(words) && words.length > 0 ? ["--", ...words.map(String)] : [];
}

function commandPath(form: GroupNode): readonly string[] | undefined {
  if (form.fields.some((field) => field.name === "command")) return ["command"];
  const holder = form.fields.find(
    (field) => field.kind === "group" && field.fields.some((inner) => inner.name === "command"),
  );
  return holder === undefined ? undefined : [holder.name, "command"];
}

/** Whether it is something that runs: then some flags have a person's words. */
function runs(form: GroupNode): boolean {
  const names = new Set(form.fields.map((field) => field.name));
  return names.has("millicores") && (names.has("command") || names.has("requirements"));
}

function specWords(form: GroupNode, spec: Spec): string[] {
  const path = commandPath(form)?.join(".");
  return form.fields.flatMap((field) => {
    const value = spec[field.name];
    if (value === undefined || field.name === path) return [];
    const own = runs(form) ? workWords(form, field, value) : undefined;
    return own ?? fieldWords(field, [field.name], value, path);
  });
}

/** The flags of what runs, where they differ from those that follow from the field. */
function workWords(form: GroupNode, field: Node, value: unknown): string[] | undefined {
  switch (field.name) {
    case "millicores":
      return ["--cpus", writeAmount(Number(value), "millicores")];
    case "memory":
    case "disk":
      return [`--${field.name}`, tight(Number(value), "bytes")];
    case "requirements":
      // The flag takes a file, and there is none here.
      return ["--set", assigned(field.name, value)];
    case "volumes":
      if (form.fields.some((other) => other.name === "volume")) return undefined;
      return eachWords("--volume", field, value, volumeWord);
    case "secrets":
      return eachWords("--secret", field, value, secretWord);
    default:
      return undefined;
  }
}

function eachWords(
  flag: string,
  field: Node,
  value: unknown,
  word: (item: Spec) => string | undefined,
): string[] {
  const items = (Array.isArray(value) ? value : []) as readonly Spec[];
  const words = items.map(word);
  return items.length > 0 && words.every((made) => made !== undefined)
    ? words.flatMap((made) => [flag, made])
    : ["--set", assigned(field.name, value)];
}

function volumeWord(use: Spec): string | undefined {
  const [name, path] = [use.name, use.path];
  if (typeof name !== "string" || typeof path !== "string") return undefined;
  if (name === "" || name.includes(":") || path.includes(":") || !path.startsWith("/"))
    return undefined;
  return `${name}:${path}${use.readOnly === true ? ":ro" : ""}`;
}

function secretWord(use: Spec): string | undefined {
  const [secret, key, env, path] = ["secret", "key", "env", "path"].map((name) => use[name] ?? "");
  const plain = [secret, key].every(
    (word) => typeof word === "string" && word !== "" && !/[/=]/.test(word),
  );
  if (!plain || use.version !== undefined || (env === "") === (path === "")) return undefined;
  if (path !== "" && !String(path).startsWith("/")) return undefined;
  if (String(env).startsWith("/")) return undefined;
  return `${String(secret)}/${String(key)}=${String(env === "" ? path : env)}`;
}

function fieldWords(
  field: Node,
  path: readonly string[],
  value: unknown,
  skipped?: string,
): string[] {
  if (path.join(".") === skipped || value === undefined) return [];
  if (field.kind === "group" && isObject(value) && path.length < DEPTH) {
    const words = field.fields.flatMap((inner) =>
      fieldWords(inner, [...path, inner.name], value[inner.name], skipped),
    );
    const says =
      words.length > 0 || (skipped === [...path, "command"].join(".") && "command" in value);
    return says ? words : ["--set", assigned(path.join("."), value)];
  }
  const flag = flagOf(path);
  if (field.secret) return secretWords(flag, field, path, value);
  switch (field.kind) {
    case "switch":
      return [value === true ? flag : flag.replace(/^--/, "--no-")];
    case "number":
      return [flag, numberWord(field, Number(value))];
    case "list":
    case "words":
      return listWords(flag, field, path, value);
    case "map":
      return mapWords(flag, path, value);
    case "reference":
      return pair(flag, String(isObject(value) ? value.resource : value));
    case "text":
    case "choice":
      return pair(flag, String(value));
    default:
      return [flag, JSON.stringify(value)];
  }
}

/** What begins with a dash could be read as another flag. */
function pair(flag: string, word: string): string[] {
  return word.startsWith("-") ? [`${flag}=${word}`] : [flag, word];
}

function numberWord(field: Node & { kind: "number" }, value: number): string {
  if (!field.whole) return String(value);
  if (BYTES.test(field.name)) return tight(value, "bytes");
  return SECONDS.test(field.name) ? tight(value, "seconds") : String(value);
}

function tight(value: number, unit: "bytes" | "seconds"): string {
  return writeAmount(value, unit).replace(" ", "");
}

/** A sealed value never stands among the arguments: it is read, or asked for. */
function secretWords(flag: string, field: Node, path: readonly string[], value: unknown): string[] {
  if (field.kind === "map" && isObject(value)) {
    return Object.keys(value).flatMap((key) => [flag, key]);
  }
  return field.kind === "text" && path.length === 1 ? [flag, "-"] : [];
}

function listWords(flag: string, field: Node, path: readonly string[], value: unknown): string[] {
  const items = Array.isArray(value) ? value : [];
  if (items.length === 0) return ["--set", assigned(path.join("."), [])];
  if (field.kind === "list" && !["text", "reference", "number"].includes(field.item.kind)) {
    return [flag, JSON.stringify(items)];
  }
  return items.flatMap((item: unknown) =>
    pair(flag, String(isObject(item) ? item.resource : item)),
  );
}

function mapWords(flag: string, path: readonly string[], value: unknown): string[] {
  const rows = Object.entries(isObject(value) ? value : {});
  if (rows.length === 0) return ["--set", assigned(path.join("."), {})];
  return rows.flatMap(([key, inner]) => [flag, `${key}=${String(inner)}`]);
}

function assigned(path: string, value: unknown): string {
  return `${path}=${JSON.stringify(value)}`;
}

function flagOf(path: readonly string[]): string {
  const word = path.map((part) => part.replace(/(?!^)([A-Z])/g, "-$1").toLowerCase()).join(".");
  return `--${TAKEN.has(word) ? `spec-${word}` : word}`;
}
