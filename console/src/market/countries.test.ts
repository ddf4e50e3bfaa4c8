import { describe, expect, it } from "vitest";
import { choices, countries } from "./countries";

describe("countries", () => {
  it("are those that there are, by name and each once", () => {
    const names = countries().map(({ label }) => label);
    expect(names.length).toBe(249);
    expect(new Set(names).size).toBe(249);
    expect(countries().find(({ value }) => value === "SE")?.label).toBe("Sweden");
  });
  it("keep what was chosen already", () => {
    const items = choices(["XX", "EU"]).flatMap((group) => group.items);
    expect(items.filter(({ value }) => value === "XX")).toHaveLength(1);
    expect(items.filter(({ value }) => value === "EU")).toHaveLength(1);
  });
});
