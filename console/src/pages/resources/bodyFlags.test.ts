import { expect, it } from "vitest";
import { bodyFlags } from "./bodyFlags";

it("says an action's body as flags", () => {
  const body = { amount: "4.00", receivedOn: "2026-11-22", draft: true, wait: false, note: "" };
  expect(bodyFlags(body)).toEqual(["--amount", "4.00", "--received-on", "2026-11-22", "--draft"]);
  expect(bodyFlags({ names: ["a", "b"], size: 3, of: { x: 1 } })).toEqual([
    "--names",
    "a",
    "--names",
    "b",
    "--size",
    "3",
    "--of",
    '{"x":1}',
  ]);
});
