/** How busy machines are over time: what is used of what there is. */

/** What `…/utilisation` says of the whole cloud or of one site: cores, bytes, GPUs. */
export interface Utilised {
  has: Partial<Record<Measure, number>>;
  used: Partial<Record<Measure, readonly (number | null)[]>>;
}

export interface Utilisation extends Utilised {
  from: string;
  step: number;
  sites: readonly (Utilised & { name: string })[];
}

export interface UseChart {
  times: number[];
  series: { label: string; values: (number | null)[] }[];
  format: (value: number) => string;
  least: number;
}

type Measure = "cpu" | "memory" | "gpu";

const MEASURES: [Measure, string][] = [
  ["cpu", "CPU"],
  ["memory", "Memory"],
  ["gpu", "GPU"],
];

/** Per cent used at each time, of all or of one site; null where nothing is known, no chart where
 *  nothing was measured at all. */
export function chartOf(told: Utilisation | undefined, site?: string): UseChart | undefined {
  const one = site === undefined ? told : told?.sites.find(({ name }) => name === site);
  if (!told || !one) return undefined;
  const series = MEASURES.flatMap(([measure, label]) => {
    const has = one.has[measure] ?? 0;
    const values = (one.used[measure] ?? []).map((value) =>
      value === null || has === 0 ? null : (100 * value) / has,
    );
    return values.some((value) => value !== null) ? [{ label, values }] : [];
  });
  if (series.length === 0) return undefined;
  const start = Date.parse(told.from) / 1000;
  const length = Math.max(...series.map(({ values }) => values.length));
  return {
    times: Array.from({ length }, (_, index) => start + index * told.step),
    series,
    format: (value) => `${Math.round(value)} %`,
    least: 100,
  };
}
