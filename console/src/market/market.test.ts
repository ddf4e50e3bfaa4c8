import { describe, expect, it } from "vitest";
import { countryName, placeInWords, refusals, termsInWords } from "./decision";
import { gpuCards } from "./gpus";
import { policyInWords } from "./policy";
import { perMonth } from "./price";

describe("a policy in words", () => {
  it.each([
    [{}, "May run anywhere, with anybody"],
    [{ jurisdictions: ["SE", "DE"] }, "Stays in Sweden or Germany"],
    [
      { jurisdictions: ["EU"], forbidden: ["NL", "FR", "IT"] },
      "Stays in the EU; never in the Netherlands, France or Italy",
    ],
    [
      { operators: ["ann", "bo"], isolation: "vm", trustTier: 2, evidence: "host" },
      "Only run by ann or bo; isolated at least by vm; only with operators of tier 2 (verified) or" +
        " above; only where facts are attested by the host",
    ],
    [{ jurisdictions: ["SE"], workspaces: ["lab", "shop"] }, "lab and shop: stays in Sweden"],
    [
      { jurisdictions: null, operators: null, isolation: "process" },
      "May run anywhere, with anybody",
    ],
  ])("%j", (spec, words) => {
    expect(policyInWords(spec)).toBe(words);
  });
});

describe("a decision in words", () => {
  it("counts refusals by reason, the most frequent first", () => {
    expect(refusals({ capacity: 1, "gpu-model": 3, "new-reason": 1 })).toEqual([
      "3 offers: no GPU of a model asked for",
      "1 offer: too little free just now",
      "1 offer: new reason",
    ]);
    expect(refusals(undefined)).toEqual([]);
  });
  it("says the place as far as it is known", () => {
    expect(placeInWords({ site: "attic", host: "h1", jurisdiction: "SE", operator: "ann" })).toBe(
      "attic/h1 in Sweden, operated by ann",
    );
    expect(placeInWords({ site: "" })).toBe("an unknown site");
    expect(placeInWords(null)).toBe("nowhere yet");
    expect(termsInWords({ isolation: "sandbox", trustTier: 0, evidence: "declared" })).toBe(
      "isolated by sandbox, trust tier 0, declared by its operator",
    );
    expect(countryName("XYZ")).toBe("XYZ");
  });
});

describe("a price", () => {
  it("of a month is that of 730 hours, without rounding", () => {
    expect(perMonth(2_000_000_001)).toBe(1_460_000_000_730n);
  });
});

describe("GPUs on sale", () => {
  const GIB = 1024 ** 3;
  const pool = (count: number, price: string | null, site: string, suspended = false): never =>
    ({
      metadata: { name: site },
      spec: {
        currency: "EUR",
        site,
        jurisdiction: "SE",
        suspended,
        pool: {
          millicores: 16000,
          memory: 64 * GIB,
          gpus: [{ model: "H100", memory: 80 * GIB, count, price }],
        },
      },
    }) as never;

  it("are one card for each model, with the lowest price and a size that fits", () => {
    const cards = gpuCards([
      pool(8, "2.50", "a"),
      pool(4, "2.10", "b"),
      pool(4, "0.10", "c", true),
      pool(0, "0.01", "d"),
    ]);
    expect(cards).toEqual([
      {
        model: "H100",
        memory: 80 * GIB,
        most: 8,
        places: ["a", "b"],
        countries: ["SE"],
        from: "2.10",
        currency: "EUR",
        millicores: 2000,
        bytes: 8 * GIB,
      },
    ]);
  });
  it("of whole instances have the price of one only where there is one", () => {
    const fixed = (gpus: number): never =>
      ({
        metadata: { name: "x" },
        spec: { currency: "EUR", instances: { gpus, gpuModel: "A10", count: 2, price: "4" } },
      }) as never;
    expect(gpuCards([fixed(1)])[0]?.from).toBe("4");
    expect(gpuCards([fixed(4)])[0]?.from).toBe("");
    expect(gpuCards([])).toEqual([]);
  });
});
