/** What the market decided, in words: where, at what price, who else, and why not the others. */

/** A place as quotes, leases and decisions tell it. Quotes are flat, decisions nest. */
export interface Place {
  readonly offer?: string;
  readonly operator?: string;
  readonly site?: string;
  readonly host?: string;
  readonly region?: string;
  readonly zone?: string;
  readonly jurisdiction?: string;
  readonly trustTier?: number;
  readonly evidence?: string;
  readonly isolation?: string;
  readonly gpuModel?: string;
  readonly spot?: boolean;
}

export interface Line {
  readonly meter: string;
  readonly sku?: string;
  readonly quantity: number;
  readonly per: number;
  readonly unitPriceNano?: number;
  readonly amountNano?: number;
  readonly unitPrice?: number;
  readonly amount?: number;
}

export interface Choice {
  readonly offer: string;
  readonly place: Place & { readonly tier?: number };
  readonly isolation?: string;
  readonly gpuModel?: string;
  readonly spot?: boolean;
  readonly price: {
    readonly perHour: number;
    readonly currency: string;
    readonly lines?: readonly Line[];
  };
}

export interface Near {
  readonly offer: string;
  readonly place?: Place;
  readonly perHour?: number | null;
  readonly failures?: readonly { readonly reason: string; readonly words: string }[];
}

/** The `decision` view of whatever is placed. */
export interface Decision {
  readonly outcome?: string;
  readonly policyInWords?: string;
  readonly at?: string;
  readonly considered?: number;
  readonly eligible?: number;
  readonly refused?: Readonly<Record<string, number>>;
  readonly chosen?: Choice | null;
  readonly runnerUp?: Choice | null;
  readonly nearest?: readonly Near[];
}

/** Reasons as the market counts them, in the words of `skerry explain`. */
const REASONS: Readonly<Record<string, string>> = {
  "gpu-model": "no GPU of a model asked for",
  "gpu-memory": "too little memory on the GPU, or it is unknown",
  isolation: "isolation weaker than required",
  currency: "priced in another currency",
  "jurisdiction-unknown": "jurisdiction unknown, and the policy restricts it",
  jurisdiction: "in a jurisdiction the policy does not allow",
  "trust-tier": "operator of too low a trust tier",
  evidence: "facts not attested as the policy demands",
  region: "in another region",
  shape: "too small even when empty, or of unknown size",
  operator: "run by an operator the policy does not allow",
  zone: "in another zone",
  site: "at another site",
  volumes: "not where the volumes are",
  capacity: "too little free just now",
  expired: "no longer valid",
  "price-unknown": "price unknown",
  "price-ceiling": "dearer than the ceiling",
};

/** `3 offers: too little free just now`, the most frequent first. */
export function refusals(refused: Readonly<Record<string, number>> | undefined): readonly string[] {
  return Object.entries(refused ?? {})
    .sort(([a, first], [b, second]) => second - first || a.localeCompare(b))
    .map(
      ([reason, count]) =>
        `${String(count)} ${count === 1 ? "offer" : "offers"}: ${REASONS[reason] ?? reason.replaceAll("-", " ")}`,
    );
}

/** The market's own words, with countries by name: `only in FR` is `only in France`. */
export function withCountries(words: string): string {
  return words.replace(
    /\b(in|without) ([A-Z]{2,7}(?:(?:,| or| without|, not) [A-Z]{2,7})*)\b/g,
    (_all, before: string, codes: string) =>
      `${before} ${codes.replace(/[A-Z]{2,7}/g, (code) => countryName(code))}`,
  );
}

/** `attic in Sweden, operated by ann`; unknown is said, never guessed. */
export function placeInWords(place: Place | null | undefined): string {
  if (place === null || place === undefined) return "nowhere yet";
  const site = place.site ?? "";
  const at = site === "" ? "an unknown site" : place.host ? `${site}/${place.host}` : site;
  const country = place.jurisdiction ? ` in ${countryName(place.jurisdiction)}` : "";
  return `${at}${country}${place.operator ? `, operated by ${place.operator}` : ""}`;
}

/** What else holds there: `sandbox, tier 2, declared by its operator`. */
export function termsInWords(place: Place & { readonly tier?: number }): string {
  const tier = place.trustTier ?? place.tier;
  const said: Readonly<Record<string, string>> = {
    declared: "declared by its operator",
    host: "attested by its host",
    hardware: "attested by hardware",
  };
  return [
    place.gpuModel,
    place.isolation === undefined ? undefined : `isolated by ${place.isolation}`,
    tier === undefined ? undefined : `trust tier ${String(tier)}`,
    place.evidence === undefined ? undefined : (said[place.evidence] ?? place.evidence),
    place.spot === true ? "may be taken back at any time" : undefined,
  ]
    .filter((word) => word !== undefined && word !== "")
    .join(", ");
}

/** A country by its code, in English; groups such as EU as people call them. */
export function countryName(code: string): string {
  const groups: Readonly<Record<string, string>> = { EU: "the EU", EEA: "the EEA", EFTA: "EFTA" };
  const known = groups[code];
  if (known !== undefined) return known;
  if (!/^[A-Z]{2}$/.test(code)) return code;
  const found =
    new Intl.DisplayNames(["en"], { type: "region", fallback: "code" }).of(code) ?? code;
  return /^(United|Netherlands|Czech|Faroe|Isle|Bahamas|Philippines|Gambia)/.test(found)
    ? `the ${found}`
    : found;
}
