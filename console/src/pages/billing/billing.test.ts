import { describe, expect, it } from "vitest";
import { amount, headline, nanoOf, percent, printed, sum } from "./amounts";
import { roundTop, stacked } from "./grouping";

describe("amounts", () => {
  it("are read to the billionth, without floats", () => {
    expect(nanoOf("12.50")).toBe(12_500_000_000n);
    expect(nanoOf("-0.000000001")).toBe(-1n);
    expect(nanoOf("9007199254740993")).toBe(9_007_199_254_740_993_000_000_000n);
    expect([nanoOf(""), nanoOf(undefined), nanoOf("1e5"), nanoOf("1.0000000001")]).toEqual([
      0n,
      0n,
      0n,
      0n,
    ]);
  });

  it("are written as people read them, and on paper as the document says", () => {
    expect(amount("1234.5", "EUR")).toBe("1\u202f234.50\u00a0EUR");
    expect(amount("-37.588", "EUR")).toBe("−37.59\u00a0EUR");
    expect(printed("1234567.80")).toBe("1\u202f234\u202f567.80");
    expect(printed("-5")).toBe("−5");
    expect(printed("0.0120")).toBe("0.0120");
  });

  it("are not less than a cent in a headline", () => {
    expect([headline("0.000000024", "EUR"), headline("0", "EUR"), headline("0.01", "EUR")]).toEqual(
      ["< 0.01\u00a0EUR", "0.00\u00a0EUR", "0.01\u00a0EUR"],
    );
  });

  it("are parts of a whole, never more", () => {
    expect(percent(1n, 3n)).toBe(33.33);
    expect([percent(5n, 0n), percent(0n, 0n), percent(9n, 3n), percent(-1n, 3n)]).toEqual([
      100, 0, 100, 0,
    ]);
    expect(sum(["1", 2, 3n])).toBe(6n);
  });
});

const from = new Date("2026-11-20T09:30:00Z");
const to = new Date("2026-11-22T10:00:00Z");
const used = (at: string, product: string, amountNano: number) => ({ at, product, amountNano });
const product = (one: { product: string }): string => one.product;

describe("use over time", () => {
  it("has a bar for each day, also where nothing was used", () => {
    const items = [
      used("2026-11-20T00:00:00Z", "run", 5),
      used("2026-11-22T00:00:00Z", "run", 1),
      used("2026-11-22T00:00:00Z", "service", 3),
      used("2026-11-22T00:00:00Z", "service", 4),
    ];
    const { names, bars } = stacked(items, product, { from, to, step: "day" });
    expect(names).toEqual([
      { name: "service", nano: 7n },
      { name: "run", nano: 6n },
    ]);
    expect(bars.map((bar) => bar.at.toISOString().slice(0, 10))).toEqual([
      "2026-11-20",
      "2026-11-21",
      "2026-11-22",
    ]);
    expect(bars.map((bar) => bar.nano)).toEqual([5n, 0n, 8n]);
    expect(bars[2]?.parts.map((part) => part.name)).toEqual(["service", "run"]);
  });

  it("gathers the smallest where there are many", () => {
    const items = [..."abcdefgh"].map((one, index) => used(from.toISOString(), one, 100 - index));
    const { names, bars } = stacked(items, product, { from, to, step: "hour", most: 3 });
    expect(names.map((one) => one.name)).toEqual(["a", "b", "others"]);
    expect(bars[0]?.nano).toBe(names.reduce((total, one) => total + one.nano, 0n));
    expect(bars).toHaveLength(49);
  });

  it("leaves out what lies outside", () => {
    const { bars } = stacked([used("2026-10-01T00:00:00Z", "run", 1)], product, {
      from,
      to,
      step: "day",
    });
    expect(bars.every((bar) => bar.nano === 0n)).toBe(true);
  });

  it("stands below a round number", () => {
    const euro = 1_000_000_000n;
    expect([22n, 100n, 101n, 13n, 7n, 0n].map((one) => roundTop(one * euro))).toEqual(
      [25n, 100n, 120n, 15n, 8n, 0n].map((one) => (one ? one * euro : 1n)),
    );
    expect([1n, 9n, 99n].map(roundTop)).toEqual([1n, 10n, 100n]);
  });
});
