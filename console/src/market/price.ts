/** Prices as people compare them: of an hour, and of a month. Integers of 10^-9 until shown. */

/** Hours in a month, on average: 365 days of 24 hours in 12 months. */
const MONTH_HOURS = 730n;

export function perMonth(perHourNano: number | bigint): bigint {
  return BigInt(perHourNano) * MONTH_HOURS;
}

/** A price of two decimals from one unit on; below it, four digits that count. */
export function priced(nano: number | bigint, currency: string): string {
  const amount = BigInt(nano);
  const minus = amount < 0n ? "-" : "";
  const whole = amount < 0n ? -amount : amount;
  const digits =
    whole === 0n || whole >= 1_000_000_000n ? 2 : Math.min(9, 13 - String(whole).length);
  const unit = 10n ** BigInt(9 - digits);
  const [floor, rest] = [whole / unit, (whole % unit) * 2n];
  // Half to even, as everywhere else that money is rounded.
  const rounded = rest > unit || (rest === unit && floor % 2n === 1n) ? floor + 1n : floor;
  const text = String(rounded).padStart(digits + 1, "0");
  const cents = text
    .slice(-digits)
    .replace(/0+$/, (zeros) => zeros.slice(0, Math.max(0, 2 - (digits - zeros.length))));
  const units = text.slice(0, -digits).replace(/\B(?=(\d{3})+$)/g, ",");
  return `${minus}${units}.${cents} ${currency}`.trimEnd();
}
