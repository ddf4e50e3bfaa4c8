import { describe, expect, it } from "vitest";
import {
  ago,
  currencyNear,
  duration,
  money,
  onlyCurrency,
  quoted,
  scalar,
  shortly,
  size,
  words,
} from "./formats";

describe("money", () => {
  it.each([
    [1_234_560_000, "1.23"],
    [1_234_000, "0.001234"],
    [0, "0.00"],
    [237, "0.000000237"],
    [12_800_000, "0.0128"],
    [500_000_000, "0.50"],
    [1_005_000_000, "1.00"],
    [1_015_000_000, "1.02"],
    [-2_500_000_000, "−2.50"],
    [9_007_199_254_740_993_000_000_000n, "9\u202f007\u202f199\u202f254\u202f740\u202f993.00"],
  ])("%s is %s", (nano, text) => expect(money(nano)).toBe(text));

  it("keeps amount and currency on one line", () => {
    expect(money(2_000_000_000, "EUR")).toBe("2.00\u00a0EUR");
  });
});

describe("money in short", () => {
  it.each([
    [237, "< 0.0001"],
    [-237, "> −0.0001"],
    [26_040_000, "0.026"],
    [999_960_000, "1.00"],
    [12_345_678, "0.0123"],
    [0, "0.00"],
    [4_751_103_907, "4.75"],
  ])("%s is %s", (nano, text) => expect(shortly(nano)).toBe(text));
});

describe("values", () => {
  it("tells sizes, times and cores by the name of their field", () => {
    expect(scalar("memory", 1_610_612_736)).toBe("1.5 GiB");
    expect(scalar("millicores", 450)).toBe("0.45 cores");
    expect(scalar("freeMemory", 2 ** 30)).toBe("1 GiB");
    expect(scalar("freeMillicores", 32_000)).toBe("32 cores");
    expect(scalar("graceSeconds", 90)).toBe("1 min 30 s");
    expect(scalar("command", ["sh", "-c", "echo hi"])).toBe("sh -c 'echo hi'");
    expect(scalar("priceNano", 12_800_000, "EUR")).toBe("0.0128\u00a0EUR");
    expect(scalar("disabled", false)).toBe("no");
    expect(scalar("anything", [])).toBe("–");
  });

  it("counts bytes and seconds in the largest unit", () => {
    expect(size(512)).toBe("512 B");
    expect(size(64 * 2 ** 20)).toBe("64 MiB");
    expect(duration(0.04)).toBe("40 ms");
    expect(duration(7500)).toBe("2 h 5 min");
  });

  it("says how long ago, and what is to come", () => {
    const now = Date.parse("2026-11-22T12:00:00Z");
    expect(ago("2026-11-22T11:57:00Z", now)).toBe("3 min ago");
    expect(ago("2026-11-20T11:57:00Z", now)).toBe("2 days ago");
    expect(ago("2026-11-22T13:00:00Z", now)).toBe("in 1 h");
    expect(ago("2026-11-22T12:00:02Z", now)).toBe("just now");
    expect(ago("rubbish", now)).toBe("–");
  });

  it("finds the currency beside an amount, above it, or the only one", () => {
    const document = { status: { cost: { currency: "EUR", amountNano: 1 }, priceNano: 2 } };
    expect(currencyNear(document, "status.cost.amountNano")).toBe("EUR");
    expect(currencyNear(document, "status.priceNano")).toBe("");
    expect(onlyCurrency(document)).toBe("EUR");
    expect(onlyCurrency([document, { currency: "SEK" }])).toBe("");
  });

  it("turns names of fields into words", () => {
    expect(words("lastSeenAt")).toBe("Last seen");
    expect(words("pricePerHourNano")).toBe("Price per hour");
    expect(words("millicores")).toBe("Cores");
  });

  it("quotes for a shell what needs it", () => {
    expect(quoted("plain-1.2")).toBe("plain-1.2");
    expect(quoted("it's")).toBe(`'it'"'"'s'`);
    expect(quoted("")).toBe("''");
  });
});
