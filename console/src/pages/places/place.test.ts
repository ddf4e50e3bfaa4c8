import { describe, expect, it } from "vitest";
import { gpuName, type Offer, placesOf } from "./place";

const GPU = { model: "NVIDIA H100", count: 8, price: "2.30" };

function offer(name: string, site: string, more: Partial<Offer["spec"]> = {}): Offer {
  const pool = { millicores: 4000, memory: 8, disk: 2, corePrice: "0.012", memoryPrice: "0.0016" };
  return {
    metadata: { name },
    spec: { site, currency: "EUR", jurisdiction: "SE", pool, ...more } as Offer["spec"],
    status: { free: { millicores: 1000, memory: 4, disk: 1 } },
  };
}

describe("placesOf", () => {
  it("gathers the hosts of a site", () => {
    const [place] = placesOf([offer("home.a", "home"), offer("home.b", "home")]);
    expect(place).toMatchObject({
      name: "home",
      cores: { free: 2000, total: 8000 },
      memory: { free: 8, total: 16 },
      offers: 2,
    });
  });

  it("takes the lowest price that is known", () => {
    const pool = { millicores: 1, memory: 1, corePrice: "0.009", gpus: [GPU] };
    const dear = { ...pool, corePrice: "", gpus: [{ ...GPU, price: "9" }] };
    const [place] = placesOf([offer("h.a", "h", { pool }), offer("h.b", "h", { pool: dear })]);
    expect(place).toMatchObject({ corePrice: "0.009", memoryPrice: "" });
    expect(place?.gpus).toEqual([{ model: "NVIDIA H100", total: 16, free: 0, price: "2.30" }]);
  });

  it("is not suspended while anything is sold", () => {
    const [place] = placesOf([offer("h.a", "h", { suspended: true }), offer("h.b", "h")]);
    expect(place?.suspended).toBe(false);
  });

  it("takes an offer of no site by its own name, and what is not known as unknown", () => {
    const bare = { site: "", jurisdiction: undefined, pool: null };
    expect(placesOf([offer("alone", "", bare)])).toMatchObject([
      { name: "alone", jurisdiction: "", corePrice: "", cores: { free: 1000, total: 0 } },
    ]);
  });
});

describe("gpuName", () => {
  it("leaves the maker out", () => {
    expect(gpuName("NVIDIA H100 80GB HBM3")).toBe("H100 80GB HBM3");
  });
});
