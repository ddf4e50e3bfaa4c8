import { describe, expect, it } from "vitest";
import { byDay, nanoOf, rough, sum } from "./figures";

describe("nanoOf", () => {
  it("takes every digit", () => {
    expect(nanoOf("4.751103907")).toBe(4_751_103_907n);
    expect(nanoOf("-0.5")).toBe(-500_000_000n);
    expect(nanoOf("100")).toBe(100_000_000_000n);
  });

  it("takes no other text for an amount", () => {
    expect([undefined, "", "1e3", "a", "1.0000000001"].map(nanoOf)).toEqual([0n, 0n, 0n, 0n, 0n]);
  });
});

describe("sum", () => {
  it("does not round", () => {
    expect(sum([9_007_199_254_740_993n, 1])).toBe(9_007_199_254_740_994n);
  });
});

describe("byDay", () => {
  it("has a bar for each day, and none for days before", () => {
    const now = Date.parse("2026-11-22T13:00:00Z");
    const items = [
      { at: "2026-11-22T00:00:00Z", amountNano: 500_000_000 },
      { at: "2026-11-22T00:00:00Z", amountNano: 1_000_000_000n },
      { at: "2026-11-20T00:00:00Z", amountNano: 2_000_000_000 },
      { at: "2026-10-01T00:00:00Z", amountNano: 9 },
    ];
    const { times, values } = byDay(items, 3, now);
    expect(values).toEqual([2, 0, 1.5]);
    expect(times.at(-1)).toBe(Date.parse("2026-11-22T00:00:00Z") / 1000);
  });
});

describe("rough", () => {
  it("says of what is less than a cent that it is", () => {
    expect(rough(24n, "EUR")).toBe("< 0.01\u00a0EUR");
    expect(rough(0n)).toBe("0.00");
    expect(rough(4_751_103_907n)).toBe("4.75");
  });
});
