/** What an overview adds up. Money stays whole billionths; decimals come in as text. */

import { money } from "../../parts/formats";

/** `"4.751103907"` as billionths. What is no amount is none. */
export function nanoOf(text: unknown): bigint {
  const found = /^(-?)(\d+)(?:\.(\d{1,9}))?$/.exec(String(text ?? ""));
  if (!found) return 0n;
  const [, sign, whole = "0", decimals = ""] = found;
  const nano = BigInt(whole) * 1_000_000_000n + BigInt(decimals.padEnd(9, "0"));
  return sign ? -nano : nano;
}

export function sum(amounts: readonly (number | bigint)[]): bigint {
  return amounts.reduce<bigint>((all, one) => all + BigInt(one), 0n);
}

export interface Used {
  at: string;
  amountNano: number | bigint;
}

/** What was used on each of the days up to today (UTC), for a chart: units of the currency, which
 *  are only drawn. Days without use are zero. */
export function byDay(items: readonly Used[], days: number, now: number) {
  const DAY = 86_400;
  const today = Math.floor(now / 1000 / DAY) * DAY;
  const times = Array.from({ length: days }, (_, index) => today - (days - 1 - index) * DAY);
  const amounts = new Map(times.map((time) => [time, 0n]));
  for (const { at, amountNano } of items) {
    const day = Math.floor(Date.parse(at) / 1000 / DAY) * DAY;
    const known = amounts.get(day);
    if (known !== undefined) amounts.set(day, known + BigInt(amountNano));
  }
  return { times, values: times.map((time) => Number(amounts.get(time)) / 1e9) };
}

const CENT = 10_000_000n;

/** An amount that was reckoned to the billionth, for a place where its cents are enough. */
export function rough(nano: bigint, currency = ""): string {
  if (nano <= 0n || nano >= 1_000_000_000n) return money(nano, currency);
  if (nano < CENT) return `< ${money(CENT, currency)}`;
  return money(((nano + CENT / 2n) / CENT) * CENT, currency);
}
