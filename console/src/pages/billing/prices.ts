/** A price list in words that can be read aloud. */

export interface PriceEntry {
  meter: string;
  unit: string;
  price: string;
  sku?: string;
  region?: string;
  site?: string;
}

export interface Spoken {
  /** "A GPU, H100". */
  what: string;
  /** "an hour". */
  per: string;
  price: string;
}

export interface Section {
  /** "" for what holds everywhere. */
  place: string;
  title: string;
  entries: Spoken[];
}

function title(place: string, of: string): string {
  const what = of || "Cores, memory, storage, traffic";
  return place ? `${what}, in ${place}` : what;
}

const THINGS: Record<string, string> = {
  cpu: "A CPU core",
  gpu: "A GPU",
  "memory-gib": "A GiB of memory",
  "storage-gib": "A GiB of storage",
  "egress-gib": "A GiB sent out",
};
const TIMES: Record<string, string> = { hour: "an hour", month: "a month of 30 days" };
const COUNTS: Record<string, string> = { million: "a million", each: "each" };

/** What a meter's price is of: `storage-gib-month` is a GiB of storage for a month. */
export function spoken({ meter, unit, sku, price }: PriceEntry): Spoken {
  const cut = meter.lastIndexOf("-");
  const thing = meter.slice(0, cut);
  const last = meter.slice(cut + 1);
  const kind = sku ? `, ${sku}` : "";
  const per = TIMES[last];
  if (per) return { what: `${THINGS[thing] ?? capital(thing)}${kind}`, per, price };
  if (THINGS[meter]) return { what: `${THINGS[meter]}${kind}`, per: "", price };
  const counted = COUNTS[last];
  if (counted) return { what: `${capital(thing)}s${kind}`.replace("ss", "s"), per: counted, price };
  return { what: `${capital(meter)}${kind}`, per: `a ${unit}`, price };
}

/** Everywhere first, then each place that has prices of its own. */
export function sections(entries: readonly PriceEntry[]): Section[] {
  const found = Map.groupBy(entries, (entry) => {
    const place = entry.site || entry.region || "";
    return JSON.stringify([place, entry.meter.startsWith("gpu-") ? "GPUs" : ""]);
  });
  return [...found].map(([key, own]) => {
    const [place = "", of = ""] = JSON.parse(key) as string[];
    return { place, title: title(place, of), entries: own.map(spoken) };
  });
}

function capital(name: string): string {
  const words = name.replaceAll("-", " ").replace(/\bgib\b/g, "GiB");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
