/** How busy sites are over time: what is used of what there is, added up over sites. */
export interface Told {
  from: string;
  step: number;
  series: { name: string; unit: string; values: (number | null)[] }[];
}

export interface Measured {
  told: Told;
  /** Of that site: millicores, bytes, GPUs. */
  has: { millicores: number; memory: number; gpus: number };
}

export interface UseChart {
  times: number[];
  series: { label: string; values: (number | null)[] }[];
  format: (value: number) => string;
  least: number;
}

const SERIES = [
  { name: "cpu", label: "CPU", of: (has: Measured["has"]) => has.millicores / 1000 },
  { name: "memory", label: "Memory", of: (has: Measured["has"]) => has.memory },
  { name: "gpu", label: "GPU", of: (has: Measured["has"]) => has.gpus },
] as const;

/** Per cent used of what the sites have together, at each time; null where nothing is known. A site
 *  that told nothing at a time counts neither in what is used nor in what there is. */
export function together(all: readonly Measured[]): UseChart | undefined {
  const first = all[0]?.told;
  if (!first) return undefined;
  const length = Math.max(...all.map(({ told }) => told.series[0]?.values.length ?? 0));
  const start = Date.parse(first.from) / 1000;
  const series = SERIES.flatMap(({ name, label, of }) => {
    const values = Array.from({ length }, (_, index) => share(all, name, of, index));
    return values.some((value) => value !== null) ? [{ label, values }] : [];
  });
  if (series.length === 0) return undefined;
  return {
    times: Array.from({ length }, (_, index) => start + index * first.step),
    series,
    format: (value) => `${Math.round(value)} %`,
    least: 100,
  };
}

function share(
  all: readonly Measured[],
  name: string,
  of: (has: Measured["has"]) => number,
  index: number,
): number | null {
  let used = 0;
  let total = 0;
  for (const { told, has } of all) {
    const value = told.series.find((one) => one.name === name)?.values[index];
    if (value === null || value === undefined || of(has) === 0) continue;
    used += value;
    total += of(has);
  }
  return total > 0 ? (100 * used) / total : null;
}
