/** Who may do what, in words. */

export interface Scope {
  tenants?: string[];
  regions?: string[];
  workspaces?: string[];
}

export interface Assignment {
  roles: string[];
  subs: string[];
  scopes: Scope[];
  notBefore?: string | null;
  notAfter?: string | null;
}

export interface Trust {
  issuer: string;
  audience: string;
  subject: string;
  claims?: Record<string, string>;
}

interface Role {
  name: string;
  /** After "may". */
  may: string;
}

/** The built-in roles that are given within a tenant, the narrowest first. */
export const ROLES: readonly Role[] = [
  { name: "seca.workspace-viewer", may: "read everything in workspaces" },
  { name: "seca.workspace-editor", may: "do everything in workspaces, but not change them" },
  { name: "seca.workspace-admin", may: "do everything in workspaces, and change them" },
  { name: "skerry.auditor", may: "read everything, its history included, and change nothing" },
  { name: "seca.admin", may: "do everything, with users and roles" },
];

const MORE: readonly Role[] = [
  { name: "skerry.operator", may: "do everything that an operator does" },
  { name: "seca.region-admin", may: "do everything that belongs to a region" },
];

/** `read everything in workspaces`; of a role that the tenant made itself, its name. */
export function mayOf(role: string): string {
  return [...ROLES, ...MORE].find(({ name }) => name === role)?.may ?? `what role ${role} says`;
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(words: readonly string[]): string {
  if (words.length < 2) return words[0] ?? "";
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/** Who, of an assignment's subjects. */
export function subjects(subs: readonly string[]): string {
  if (subs.includes("*")) return "Everybody here";
  return listed(
    subs.map((sub) =>
      sub.startsWith("service-accounts/")
        ? `the program ${sub.slice("service-accounts/".length)}`
        : sub.replace(/^users\//, ""),
    ),
  );
}

/** Where an assignment counts. */
export function places(scopes: readonly Scope[], tenant: string): string {
  return listed([...new Set(scopes.map((scope) => place(scope, tenant)))]);
}

function place({ tenants = [], regions = [], workspaces = [] }: Scope, tenant: string): string {
  const whose = tenants.includes("*")
    ? "all tenants"
    : tenants.length > 0
      ? listed(tenants)
      : tenant;
  const rooms = workspaces.length > 0 ? `${listed(workspaces)} of ` : "";
  const where = regions.length > 0 ? `, in ${listed(regions)}` : "";
  return `${rooms}${whose}${where}`;
}

export type Standing = "counts" | "to come" | "over";

/** Whether an assignment counts at a time. */
export function standing({ notBefore, notAfter }: Assignment, now: number): Standing {
  if (notAfter && Date.parse(notAfter) <= now) return "over";
  return notBefore && Date.parse(notBefore) > now ? "to come" : "counts";
}

/** What a trust lets in. */
export function trusted({ issuer, subject, audience, claims = {} }: Trust): string {
  const also = Object.entries(claims).map(([name, value]) => `${name} ${value}`);
  return `${issuer}: ${subject}, for ${audience}${also.length ? `, with ${listed(also)}` : ""}`;
}

/** A name that resources may have, from an address or any words: `Ann B@x.org` is `ann-b`. */
export function nameFrom(text: string): string {
  const before = text.split("@")[0] ?? "";
  return before
    .toLowerCase()
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 60);
}
