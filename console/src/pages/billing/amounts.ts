/** Amounts as billing's API writes them: decimal strings such as "12.50". Never floats. */
import { money, type Nano } from "~/parts/formats";

const DECIMAL = /^(-?)(\d+)(?:\.(\d{1,9}))?$/;

/** A decimal string in 10⁻⁹ of a unit; nothing (or what is no amount) is 0. */
export function nanoOf(text: string | undefined): bigint {
  const found = DECIMAL.exec(text ?? "");
  if (!found) return 0n;
  const [, sign, whole = "0", decimals = ""] = found;
  const nano = BigInt(whole) * 1_000_000_000n + BigInt(decimals.padEnd(9, "0"));
  return sign ? -nano : nano;
}

/** An amount as people read it: "12.50 EUR". */
export function amount(text: string | undefined, currency = ""): string {
  return money(nanoOf(text), currency);
}

/** An amount on paper: as it stands in the document, with a thin space for each thousand. */
export function printed(text: string): string {
  const [whole = "", decimals] = text.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, "\u202f").replace("-", "−");
  return decimals === undefined ? grouped : `${grouped}.${decimals}`;
}

/** What part of the whole, in percent from 0 to 100; of nothing, all is used. */
export function percent(part: bigint, whole: bigint): number {
  if (whole <= 0n) return part > 0n ? 100 : 0;
  return Number((10_000n * (part < 0n ? 0n : part > whole ? whole : part)) / whole) / 100;
}

export function sum(amounts: Iterable<Nano>): bigint {
  let total = 0n;
  for (const each of amounts) total += BigInt(each);
  return total;
}

const CENT = 10_000_000n;

/** An amount for a headline: what is less than a cent says just that. */
export function headline(text: string | undefined, currency: string): string {
  const nano = nanoOf(text);
  return nano > 0n && nano < CENT ? `< 0.01\u00a0${currency}` : money(nano, currency);
}
