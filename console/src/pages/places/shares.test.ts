import { describe, expect, it } from "vitest";
import { chartOf, type Utilisation } from "./shares";

const TOLD: Utilisation = {
  from: "2026-11-22T01:00:00Z",
  step: 15,
  has: { cpu: 8, memory: 0, gpu: 2 },
  used: { cpu: [2, null], memory: [1, 1], gpu: [1, 2] },
  sites: [{ name: "attic", has: { cpu: 4 }, used: { cpu: [1, 2] } }],
};

describe("chartOf", () => {
  it("is what is used of what there is, and nothing of what there is not", () => {
    const chart = chartOf(TOLD);
    expect(chart?.series).toEqual([
      { label: "CPU", values: [25, null] },
      { label: "GPU", values: [50, 100] },
    ]);
    expect(chart?.times).toEqual([1795309200, 1795309215]);
  });

  it("is of one site where one is named", () => {
    expect(chartOf(TOLD, "attic")?.series).toEqual([{ label: "CPU", values: [25, 50] }]);
    expect(chartOf(TOLD, "cellar")).toBeUndefined();
  });

  it("is nothing where nothing was measured", () => {
    expect(chartOf(undefined)).toBeUndefined();
    expect(chartOf({ ...TOLD, used: { cpu: [null, null] } })).toBeUndefined();
  });
});
