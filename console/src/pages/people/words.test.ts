import { expect, it } from "vitest";
import { listed, mayOf, nameFrom, places, standing, subjects, trusted } from "./words";

it("lists as people do", () => {
  expect([listed([]), listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])]).toEqual([
    "",
    "a",
    "a and b",
    "a, b and c",
  ]);
});

it("says who", () => {
  expect(subjects(["users/ann", "bob@x.org", "service-accounts/ci"])).toBe(
    "ann, bob@x.org and the program ci",
  );
  expect(subjects(["ann", "*"])).toBe("Everybody here");
});

it("says where", () => {
  expect(places([{}], "acme")).toBe("acme");
  expect(places([{ workspaces: ["lab", "prod"] }], "acme")).toBe("lab and prod of acme");
  expect(places([{ tenants: ["*"] }, { tenants: ["*"] }], "operator")).toBe("all tenants");
  expect(places([{ regions: ["north"] }], "acme")).toBe("acme, in north");
});

it("says whether it counts", () => {
  const visit = {
    roles: [],
    subs: [],
    scopes: [],
    notBefore: "2026-12-01T00:00:00Z",
    notAfter: "2026-12-08T00:00:00Z",
  };
  const at = (day: string) => standing(visit, Date.parse(day));
  expect([at("2026-11-30"), at("2026-12-02"), at("2026-12-08")]).toEqual([
    "to come",
    "counts",
    "over",
  ]);
  expect(standing({ roles: [], subs: [], scopes: [] }, 0)).toBe("counts");
});

it("says what is given, and what is trusted", () => {
  expect(mayOf("seca.admin")).toBe("do everything, with users and roles");
  expect(mayOf("mine")).toBe("what role mine says");
  expect(trusted({ issuer: "gh", subject: "repo:a", audience: "x", claims: { ref: "main" } })).toBe(
    "gh: repo:a, for x, with ref main",
  );
});

it("makes names", () => {
  expect(["Ann.B@x.org", "Zoë Q", "--"].map(nameFrom)).toEqual(["ann-b", "zoe-q", ""]);
});
