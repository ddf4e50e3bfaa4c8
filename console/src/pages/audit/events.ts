/** The tenant's past, as the API tells it. */
import type { Query } from "~/api/http";
import type { Statement } from "~/proof/statement";

/** One line of it. */
export interface Event {
  position: number;
  at: string;
  kind: string;
  ref: string;
  verb: string;
  version: number;
  actor: string;
  /** Where from, where that is known: of a login. */
  address?: string;
}

/** One with all that its leaf hashes. */
export type WholeEvent = Event & Statement;

export interface Events {
  items: Event[];
  next?: string;
}

export const LIMIT = 50;

export interface Filters {
  /** From when on: `-1d`, or a date. */
  from: string;
  to: string;
  actor: string;
  verb: string;
  kinds: string;
  search: string;
}

export const FILTERS = ["from", "to", "actor", "verb", "kinds", "search"] as const;

export const eventsPath = (tenant: string): string =>
  `/providers/skerry.proof/v1/tenants/${encodeURIComponent(tenant)}/events`;

/** What is asked for: filters that say something. */
export function asked(filters: Filters, more: Query = {}): Query {
  const said = Object.entries(filters).filter(([, value]) => value !== "");
  return { ...Object.fromEntries(said), ...more };
}

/** The same at the command line. */
export function commandOf(filters: Filters): string[] {
  const flags = FILTERS.flatMap((name) => (filters[name] ? [`--${name}`, filters[name]] : []));
  return ["audit", "log", ...flags];
}

/** Whether somebody of another tenant did it: an operator. Skerry itself has no tenant. */
export function fromOutside(actor: string, tenant: string): boolean {
  return actor.includes("@") && !actor.endsWith(`@${tenant}`);
}

const DONE: Record<string, string> = {
  put: "wrote",
  login: "signed in:",
  create: "made",
  created: "made",
  update: "changed",
  delete: "asked to delete",
  deleted: "deleted",
  status: "reported on",
  logs: "read the logs of",
  files: "read files of",
  blob: "read an upload of",
  enter: "entered",
  exec: "opened a shell in",
  connect: "opened a port of",
  raise: "raised",
  clear: "closed",
  placed: "placed",
  refused: "refused to place",
  kept: "logged the digests of",
  restore: "restored",
};

/** What was done, as a word between who and what. */
export function doneWord(verb: string, version = 0): string {
  if (verb === "put" && version > 0) return version === 1 ? "made" : "changed";
  return DONE[verb] ?? verb.replaceAll("-", " ");
}

/** What was done to the one thing that a page is about. */
export function doneTo({ kind, verb, version }: Event): string {
  if (kind === "look") return `read its ${verb}`;
  if (verb === "kept") return "logged the digests of its output";
  return `${doneWord(verb, version)} it`;
}

const UUID = /([0-9a-f]{8})(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;

/** `jobs/train` of a whole ref; of what has no name but a number, its beginning. */
export function short(ref: string): string {
  const parts = ref.split("/");
  return (parts.length > 4 ? parts.slice(-2).join("/") : ref).replace(UUID, "$1…");
}

/** Who did it, in words. */
export function who(actor: string): string {
  if (actor.startsWith("system:")) return `Skerry, for ${short(actor.slice(7))}`;
  return actor === "system" || actor === "" ? "Skerry itself" : actor;
}
