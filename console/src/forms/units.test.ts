import { describe, expect, it } from "vitest";
import { joined, split } from "./shell";
import { readAmount, unitOf, writeAmount } from "./units";

describe("amounts", () => {
  it.each([
    ["512 MiB", "bytes", 536870912],
    ["2Gi", "bytes", 2147483648],
    ["1.5 GiB", "bytes", 1610612736],
    ["1GB", "bytes", 1000000000],
    ["10", "bytes", 10],
    ["0.3 B", "bytes", undefined],
    ["90", "seconds", 90],
    ["10m", "seconds", 600],
    ["1.5 h", "seconds", 5400],
    ["0.5", "millicores", 500],
    ["250m", "millicores", 250],
    ["0.0005", "millicores", undefined],
    ["0644", "octal", 420],
    ["9", "octal", undefined],
    ["", "", undefined],
    ["1e3", "", undefined],
    ["99999999999999999999", "", undefined],
  ] as const)("%s as %s is %s", (text, unit, value) => {
    expect(readAmount(text, unit)).toBe(value);
  });

  it("are written as they are read", () => {
    for (const unit of ["bytes", "seconds", "millicores", "octal", ""] as const) {
      for (const value of [
        0,
        1,
        7,
        60,
        90,
        1000,
        1024,
        3600,
        5400,
        1536,
        536870912,
        86400,
        123456789,
        2 ** 44,
      ]) {
        expect(readAmount(writeAmount(value, unit), unit)).toBe(value);
      }
    }
    expect(writeAmount(1610612736, "bytes")).toBe("1536 MiB");
    expect(writeAmount(5400, "seconds")).toBe("90 m");
    expect(writeAmount(250, "millicores")).toBe("0.25");
    expect(readAmount("0.5", "seconds", false)).toBe(0.5);
  });

  it("take their unit from name and description", () => {
    expect(unitOf("memory")).toBe("bytes");
    expect(unitOf("ttlSeconds")).toBe("seconds");
    expect(unitOf("every", "Seconds between two checks")).toBe("seconds");
    expect(unitOf("latency", "Milliseconds")).toBe("");
    expect(unitOf("body", "Most bytes of one request's body")).toBe("bytes");
  });
});

describe("a command", () => {
  it.each([
    [["python", "-c", 'print("it\'s")']],
    [["sh", "-c", "a\nb $x `y`"]],
    [["", " ", "\\"]],
    [[]],
  ])("%j is read as it is written", (words) => {
    expect(split(joined(words))).toEqual(words);
  });

  it("is read as a shell reads it", () => {
    expect(split(`a "b c" d\\ e 'f"g' "h\\"i"`)).toEqual(["a", "b c", "d e", 'f"g', 'h"i']);
    expect(split("a 'b")).toBeUndefined();
  });
});
