/** Places as they are on sale: the offers of each site, gathered. */
import type { OfferSpec } from "~/api/schema";

export interface Room {
  free: number;
  total: number;
}

export interface GpuRoom extends Room {
  model: string;
  /** Of one for an hour, as decimal text; empty: unknown. */
  price: string;
}

export interface Place {
  /** Of the site, or of the offer where there is none. */
  name: string;
  /** ISO 3166-1 alpha-2; empty: unknown. */
  jurisdiction: string;
  operator: string;
  trustTier: number;
  isolations: string[];
  /** Of millicores, bytes, bytes. */
  cores: Room;
  memory: Room;
  disk: Room;
  gpus: GpuRoom[];
  currency: string;
  /** The lowest for an hour of a core, of a GiB of memory; empty: none is known. */
  corePrice: string;
  memoryPrice: string;
  /** In milliseconds, where it was declared. */
  latency: number | undefined;
  /** How many offers it has: one for each host. */
  offers: number;
  /** None of it is sold for now. */
  suspended: boolean;
}

/** An offer, as far as places go. */
export interface Offer {
  metadata: { name: string };
  spec: OfferSpec;
  status?: { free?: Record<string, unknown> } & Record<string, unknown>;
}

/** The places of offers, by name. */
export function placesOf(offers: readonly Offer[]): Place[] {
  const found = new Map<string, Place>();
  for (const offer of offers) {
    const name = offer.spec.site || offer.metadata.name;
    const place = found.get(name);
    found.set(name, place ? both(place, placeOf(name, offer)) : placeOf(name, offer));
  }
  return [...found.values()].sort((one, other) => one.name.localeCompare(other.name));
}

function placeOf(name: string, { spec, status }: Offer): Place {
  const free = status?.free ?? {};
  const { pool } = spec;
  const room = (field: "millicores" | "memory" | "disk"): Room => ({
    total: pool?.[field] ?? 0,
    free: count(free[field]),
  });
  return {
    name,
    jurisdiction: spec.jurisdiction ?? "",
    operator: spec.operator ?? "",
    trustTier: spec.trustTier ?? 0,
    isolations: spec.isolations ?? ["sandbox"],
    cores: room("millicores"),
    memory: room("memory"),
    disk: room("disk"),
    gpus: gpusOf(spec, free),
    currency: spec.currency,
    corePrice: pool?.corePrice ?? "",
    memoryPrice: pool?.memoryPrice ?? "",
    latency: spec.latency ?? undefined,
    offers: 1,
    suspended: spec.suspended ?? false,
  };
}

function gpusOf(spec: OfferSpec, free: Record<string, unknown>): GpuRoom[] {
  const left = (free.gpus ?? {}) as Record<string, unknown>;
  return (spec.pool?.gpus ?? []).map(({ model, count: total, price }) => ({
    model,
    total,
    free: count(left[model]),
    price: price ?? "",
  }));
}

function both(one: Place, other: Place): Place {
  const sum = (a: Room, b: Room): Room => ({ free: a.free + b.free, total: a.total + b.total });
  const gpus = new Map(one.gpus.map((gpu) => [gpu.model, gpu]));
  for (const gpu of other.gpus) {
    const known = gpus.get(gpu.model);
    const price = known ? lower(known.price, gpu.price) : gpu.price;
    gpus.set(gpu.model, { ...gpu, ...(known ? sum(known, gpu) : {}), price });
  }
  return {
    ...one,
    cores: sum(one.cores, other.cores),
    memory: sum(one.memory, other.memory),
    disk: sum(one.disk, other.disk),
    gpus: [...gpus.values()],
    corePrice: lower(one.corePrice, other.corePrice),
    memoryPrice: lower(one.memoryPrice, other.memoryPrice),
    offers: one.offers + other.offers,
    suspended: one.suspended && other.suspended,
  };
}

/** Prices are only compared here, never reckoned with. */
function lower(one: string, other: string): string {
  if (!one || !other) return one || other;
  return Number(other) < Number(one) ? other : one;
}

function count(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

/** `NVIDIA H100 80GB HBM3` as it is called: `H100 80GB HBM3`. */
export function gpuName(model: string): string {
  return model.replace(/^(NVIDIA|AMD|Intel) +/i, "");
}
