/** Use over time, stacked: one bar for each day or hour, in it a part for each product. */
import type { Nano } from "~/parts/formats";
import { sum } from "./amounts";

export interface Used {
  at: string;
  amountNano: Nano;
}

export interface Part {
  name: string;
  nano: bigint;
}

export interface Bar {
  /** When it begins. */
  at: Date;
  nano: bigint;
  /** In the order of the stack's names; none that are nothing. */
  parts: Part[];
}

export interface Stack {
  /** What there is most of first, at most `most` of them; the rest is "others". */
  names: Part[];
  bars: Bar[];
}

export type Step = "day" | "hour";

const LENGTH: Record<Step, number> = { day: 86_400_000, hour: 3_600_000 };
const OTHERS = "others";

/** Bars from `from` to `to`, without a gap where nothing was used; in UTC, as it is billed. */
export function stacked<T extends Used>(
  items: readonly T[],
  name: (item: T) => string,
  { from, to, step, most = 6 }: { from: Date; to: Date; step: Step; most?: number },
): Stack {
  const names = ranked(items, name, most);
  const known = new Set(names.map((one) => one.name));
  const bars = new Map<number, Map<string, bigint>>();
  const length = LENGTH[step];
  const first = Math.floor(from.getTime() / length) * length;
  for (let at = first; at < to.getTime(); at += length) bars.set(at, new Map());
  for (const item of items) {
    const bar = bars.get(Math.floor(Date.parse(item.at) / length) * length);
    if (!bar) continue;
    const key = known.has(name(item)) ? name(item) : OTHERS;
    bar.set(key, (bar.get(key) ?? 0n) + BigInt(item.amountNano));
  }
  return {
    names,
    bars: [...bars].map(([at, parts]) => ({
      at: new Date(at),
      nano: sum(parts.values()),
      parts: names.flatMap((one) => {
        const nano = parts.get(one.name) ?? 0n;
        return nano > 0n ? [{ name: one.name, nano }] : [];
      }),
    })),
  };
}

function ranked<T extends Used>(
  items: readonly T[],
  name: (item: T) => string,
  most: number,
): Part[] {
  const sums = new Map<string, bigint>();
  for (const item of items) {
    sums.set(name(item), (sums.get(name(item)) ?? 0n) + BigInt(item.amountNano));
  }
  const found = [...sums]
    .map(([one, nano]) => ({ name: one, nano }))
    .sort((one, other) => (one.nano === other.nano ? 0 : one.nano < other.nano ? 1 : -1));
  if (found.length <= most) return found;
  const rest = found.slice(most - 1);
  return [...found.slice(0, most - 1), { name: OTHERS, nano: sum(rest.map((one) => one.nano)) }];
}

const ROUND = [10n, 12n, 15n, 20n, 25n, 30n, 40n, 50n, 60n, 80n, 100n];

/** A round number that all bars fit below. */
export function roundTop(highest: bigint): bigint {
  if (highest <= 0n) return 1n;
  const digits = highest.toString().length;
  // Tenths of it are counted, so that small amounts have round numbers, too.
  const power = 10n ** BigInt(digits);
  const found = ROUND.find((each) => each * power >= highest * 100n) ?? 100n;
  return (found * power + 99n) / 100n;
}
