/** GPUs in three clicks: what is on sale, as cards to choose from. */

export interface Offer {
  readonly metadata: { readonly name: string };
  readonly spec: OfferSpec;
  readonly status?: { readonly free?: unknown; readonly state?: string };
}

interface OfferSpec {
  readonly currency: string;
  readonly site?: string;
  readonly operator?: string;
  readonly jurisdiction?: string;
  readonly suspended?: boolean;
  readonly pool?: {
    readonly gpus?: readonly GpuStock[];
    readonly millicores: number;
    readonly memory: number;
  } | null;
  readonly instances?: {
    readonly gpus?: number | null;
    readonly gpuModel?: string;
    readonly gpuMemory?: number | null;
    readonly count: number;
    readonly millicores?: number | null;
    readonly memory?: number | null;
    readonly price?: string | null;
  } | null;
}

interface GpuStock {
  readonly model: string;
  readonly memory?: number | null;
  readonly count: number;
  readonly price?: string | null;
}

/** One model of GPU on sale somewhere, with what goes well with one of it. */
export interface GpuCard {
  readonly model: string;
  /** Bytes; 0: unknown. */
  readonly memory: number;
  /** How many there are at most at one place. */
  readonly most: number;
  readonly places: readonly string[];
  readonly countries: readonly string[];
  /** The lowest price of one for an hour, as decimal text; empty: unknown. */
  readonly from: string;
  readonly currency: string;
  /** A size that suits one GPU, never more than the share of the machine that it stands for. */
  readonly millicores: number;
  readonly bytes: number;
}

const GIB = 1024 ** 3;
const USUAL = { millicores: 8000, memory: 32 * GIB };

/** The models on sale, the one with most memory first. Offers that are not sold are left out. */
export function gpuCards(offers: readonly Offer[]): readonly GpuCard[] {
  const found = new Map<string, GpuCard>();
  for (const offer of offers) {
    if (offer.spec.suspended === true || offer.status?.state === "deleting") continue;
    for (const card of cardsOf(offer)) {
      const known = found.get(card.model);
      found.set(card.model, known === undefined ? card : both(known, card));
    }
  }
  return [...found.values()].sort((a, b) => b.memory - a.memory || a.model.localeCompare(b.model));
}

function cardsOf({ metadata, spec }: Offer): readonly GpuCard[] {
  const where = {
    places: [spec.site ?? metadata.name],
    currency: spec.currency,
    countries: spec.jurisdiction ? [spec.jurisdiction] : [],
  };
  const pool = (spec.pool?.gpus ?? [])
    .filter((stock) => stock.count > 0)
    .map((stock) => ({
      ...where,
      model: stock.model,
      memory: stock.memory ?? 0,
      most: stock.count,
      from: stock.price ?? "",
      ...share(spec.pool?.millicores ?? 0, spec.pool?.memory ?? 0, stock.count),
    }));
  const fixed = spec.instances;
  if (fixed?.gpus == null || fixed.gpus === 0 || fixed.count === 0) return pool;
  return [
    ...pool,
    {
      ...where,
      model: fixed.gpuModel ?? "",
      memory: fixed.gpuMemory ?? 0,
      most: fixed.gpus,
      // An instance is sold whole, so its price is that of one GPU only where it has one.
      from: fixed.gpus === 1 ? (fixed.price ?? "") : "",
      ...share(fixed.millicores ?? 0, fixed.memory ?? 0, fixed.gpus),
    },
  ];
}

function share(
  millicores: number,
  memory: number,
  gpus: number,
): { millicores: number; bytes: number } {
  const cores = Math.floor(millicores / gpus / 1000) * 1000;
  const size = Math.floor(memory / gpus / GIB) * GIB;
  return {
    millicores: Math.max(500, Math.min(USUAL.millicores, cores)),
    bytes: Math.max(GIB / 2, Math.min(USUAL.memory, size)),
  };
}

function both(a: GpuCard, b: GpuCard): GpuCard {
  const cheaper =
    b.from !== "" && (a.from === "" || Number(b.from) < Number(a.from)) ? b.from : a.from;
  return {
    ...a,
    from: cheaper,
    most: Math.max(a.most, b.most),
    memory: Math.max(a.memory, b.memory),
    places: [...new Set([...a.places, ...b.places])],
    countries: [...new Set([...a.countries, ...b.countries])],
    millicores: Math.min(a.millicores, b.millicores),
    bytes: Math.min(a.bytes, b.bytes),
  };
}
