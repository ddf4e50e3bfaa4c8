import { describe, expect, it } from "vitest";
import { parseJson, toJson } from "./json";

describe("large integers", () => {
  it("come and go exactly", () => {
    const text = '{"amountNano":9007199254740993,"small":12,"text":"9007199254740993"}';
    const value = parseJson(text) as Record<string, unknown>;
    expect(value.amountNano).toBe(9007199254740993n);
    expect(value.small).toBe(12);
    expect(toJson(value)).toBe(text);
  });

  it("leave texts alone that look like theirs", () => {
    const value = { text: "bigint:0:1", other: "9".repeat(20) };
    expect(JSON.parse(toJson(value))).toEqual(value);
  });
});
