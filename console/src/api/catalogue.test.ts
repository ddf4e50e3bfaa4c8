import { describe, expect, it } from "vitest";
import document from "../../../src/skerry/cli/catalogue.json";
import {
  Catalogue,
  type CatalogueDocument,
  collectionPath,
  namesIn,
  oneOf,
  plural,
  resourcePath,
} from "./catalogue";

const catalogue = new Catalogue(document as unknown as CatalogueDocument);
const scope = { tenant: "acme", workspace: "lab" };

describe("paths", () => {
  it("lead to collections and resources", () => {
    expect(collectionPath(catalogue.kind("job"), scope)).toBe(
      "/providers/skerry.run/v1/tenants/acme/workspaces/lab/jobs",
    );
    expect(resourcePath(catalogue.kind("snapshot"), scope, ["data", "a b"])).toBe(
      "/providers/skerry.run/v1/tenants/acme/workspaces/lab/volumes/data/snapshots/a%20b",
    );
    expect(collectionPath(catalogue.kind("site"), scope)).toBe("/providers/skerry.site/v1/sites");
  });

  it("tell the kind and the names of every reference", () => {
    for (const kind of catalogue.kinds) {
      const names = [...kind.parents.map((_, index) => `p${index}`), "x"];
      const ref = resourcePath(kind, scope, names).replace("/providers/", "");
      expect(catalogue.ofRef(ref)?.noun).toBe(kind.noun);
      expect(namesIn(kind, ref)).toEqual(names);
    }
  });
});

describe("kinds", () => {
  it("know what is above and below them", () => {
    const volume = catalogue.kind("volume");
    const snapshot = catalogue.kind("snapshot");
    expect(catalogue.below(volume)).toContain(snapshot);
    expect(catalogue.above(snapshot)).toBe(volume);
  });

  it("are called right where there are many", () => {
    const many = ["policy", "billing-account", "witness"].map((n) => plural(catalogue.kind(n)));
    expect(many).toEqual(["policies", "billing accounts", "witnesses"]);
  });

  it("have their article", () => {
    const one = ["invitation", "user", "offer", "job"].map((noun) => oneOf(catalogue.kind(noun)));
    expect(one).toEqual(["an invitation", "a user", "an offer", "a job"]);
  });

  it("have schemas whose references and nulls are followed", () => {
    const schema = catalogue.resolve(catalogue.kind("billing-account").spec);
    const customer = schema.properties?.customer;
    expect(customer && catalogue.resolve(customer).type).toBe("object");
  });

  it("of another form are refused in words", () => {
    expect(() => new Catalogue({ format: "other/9", kinds: [], schemas: {} })).toThrow("other/9");
  });
});
