/** A policy as a sentence that a person can check against what they meant. */

import { countryName } from "./decision";

export interface PolicySpec {
  readonly jurisdictions?: readonly string[] | null;
  readonly forbidden?: readonly string[];
  readonly operators?: readonly string[] | null;
  readonly isolation?: string;
  readonly trustTier?: number;
  readonly evidence?: string;
  readonly workspaces?: readonly string[];
}

export const TIERS = [
  "anybody",
  "identified",
  "verified",
  "proven for 90 days",
  "audited on site",
] as const;

/** `Stays in Sweden or Germany; only run by ann; …`. */
export function policyInWords(spec: PolicySpec): string {
  const parts: string[] = [];
  const allowed = spec.jurisdictions ?? undefined;
  if (allowed !== undefined) parts.push(`stays in ${either(allowed.map(countryName))}`);
  if (spec.forbidden !== undefined && spec.forbidden.length > 0) {
    parts.push(`never in ${either(spec.forbidden.map(countryName))}`);
  }
  if (spec.operators != null) parts.push(`only run by ${either(spec.operators)}`);
  if (spec.isolation !== undefined && spec.isolation !== "process") {
    parts.push(`isolated at least by ${spec.isolation}`);
  }
  const tier = spec.trustTier ?? 0;
  if (tier > 0)
    parts.push(`only with operators of tier ${String(tier)} (${TIERS[tier] ?? "?"}) or above`);
  if (spec.evidence !== undefined && spec.evidence !== "declared") {
    parts.push(
      `only where facts are attested by ${spec.evidence === "host" ? "the host" : "hardware"}`,
    );
  }
  const said = parts.length === 0 ? "may run anywhere, with anybody" : parts.join("; ");
  const whose =
    spec.workspaces !== undefined && spec.workspaces.length > 0
      ? `${list(spec.workspaces, "and")}: `
      : "";
  return whose + (whose === "" ? said.charAt(0).toUpperCase() + said.slice(1) : said);
}

function either(words: readonly string[]): string {
  return words.length === 0 ? "no place" : list(words, "or");
}

function list(words: readonly string[], last: string): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} ${last} ${words.at(-1) ?? ""}`;
}
