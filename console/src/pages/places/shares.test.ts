import { describe, expect, it } from "vitest";
import { type Measured, together } from "./shares";

function measured(cpu: (number | null)[], millicores = 4000, gpus = 0): Measured {
  const series = [
    { name: "cpu", unit: "cores", values: cpu },
    { name: "gpu", unit: "devices", values: cpu.map(() => (gpus ? 1 : null)) },
  ];
  return {
    told: { from: "2026-11-22T01:00:00Z", step: 15, series },
    has: { millicores, memory: 0, gpus },
  };
}

describe("together", () => {
  it("is what is used of what there is", () => {
    const chart = together([measured([1, 2]), measured([3, 0], 12_000)]);
    expect(chart?.series).toEqual([{ label: "CPU", values: [25, 12.5] }]);
    expect(chart?.times).toEqual([1795309200, 1795309215]);
  });

  it("leaves a site out while it tells nothing", () => {
    const chart = together([measured([2, null]), measured([null, null])]);
    expect(chart?.series[0]?.values).toEqual([50, null]);
  });

  it("knows GPUs only where there are any", () => {
    expect(together([measured([1], 4000, 2)])?.series[1]).toEqual({ label: "GPU", values: [50] });
  });

  it("is nothing where nothing was measured", () => {
    expect(together([])).toBeUndefined();
    expect(together([measured([null])])).toBeUndefined();
  });
});
