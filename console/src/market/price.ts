/** Prices as people compare them: of an hour, and of a month. Integers of 10^-9 until shown. */

/** Hours in a month, on average: 365 days of 24 hours in 12 months. */
export const MONTH_HOURS = 730;

export function perMonth(perHourNano: number | bigint): bigint {
  return BigInt(perHourNano) * BigInt(MONTH_HOURS);
}
