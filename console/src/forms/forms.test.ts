import { describe, expect, it } from "vitest";
import { placed, problemsIn } from "./checks";
import type { Draft, Node } from "./node";
import { sectionsOf } from "./sections";
import { example, form, pruned, told } from "./testing";
import { draftOf, type Spec, specOf } from "./values";

function at(node: Node, path: string): Node {
  let here = node;
  for (const step of path.split(".")) {
    const next =
      here.kind === "group"
        ? here.fields.find((field) => field.name === step)
        : here.kind === "list" || here.kind === "map"
          ? here.item
          : undefined;
    if (next === undefined) throw new Error(`no ${path}`);
    here = next;
  }
  return here;
}

function count(node: Node): number {
  if (node.kind === "group") return node.fields.reduce((sum, field) => sum + count(field), 0);
  return node.kind === "list" || node.kind === "map" ? count(node.item) : 1;
}

describe.each(told.kinds.map((kind) => kind.noun))("the form of a %s", (noun) => {
  const made = form(noun);

  it("has each field once, in a section, with a label", () => {
    const shown = sectionsOf(made).flatMap((part) => [...part.basic, ...part.advanced]);
    expect(shown.map((field) => field.name).sort()).toEqual(
      made.fields.map((field) => field.name).sort(),
    );
    expect(shown.every((field) => field.label !== "")).toBe(true);
    for (const field of made.fields)
      if (field.required) {
        expect(sectionsOf(made).some((part) => part.basic.includes(field))).toBe(true);
      }
  });

  it("makes the same spec again of each that is put into it", () => {
    for (let seed = 1; seed < 40; seed += 1) {
      const spec = example(made, seed) as Spec;
      expect(specOf(made, draftOf(made, spec))).toEqual(pruned(made, spec));
    }
  });

  it("says nothing that is the default anyway, and what is missing", () => {
    const draft = draftOf(made);
    const spec = specOf(made, draft);
    const needed = made.fields.filter((field) => field.required).map((field) => field.name);
    expect(Object.keys(spec).every((name) => needed.includes(name))).toBe(true);
    for (const pointer of problemsIn(made, draft).keys()) {
      expect(needed).toContain(pointer.split("/")[1]);
    }
  });
});

describe("a form", () => {
  it("covers every kind, and few fields are left to JSON", () => {
    expect(told.kinds.length).toBeGreaterThan(35);
    const all = told.kinds.reduce((sum, kind) => sum + count(form(kind.noun)), 0);
    const json: string[] = [];
    const walk = (node: Node, path: string): void => {
      if (node.kind === "json") json.push(path);
      if (node.kind === "group")
        node.fields.forEach((field) => {
          walk(field, `${path}.${field.name}`);
        });
      if (node.kind === "list" || node.kind === "map") walk(node.item, `${path}.*`);
    };
    told.kinds.forEach((kind) => {
      walk(form(kind.noun), kind.noun);
    });
    expect(all).toBeGreaterThan(300);
    expect(json).toEqual(["quote.spec", "notice.facts", "site.config"]);
  });

  it("knows units, references, secrets and what can not be changed", () => {
    const job = form("job");
    expect(at(job, "millicores")).toMatchObject({
      unit: "millicores",
      label: "CPU cores",
      help: "Of each copy",
    });
    expect(at(job, "memory")).toMatchObject({
      unit: "bytes",
      help: "Memory of each copy",
      immutable: true,
    });
    expect(at(job, "timeLimit")).toMatchObject({
      unit: "seconds",
      help: "Time it may run; 0 is no limit",
    });
    expect(at(job, "volumes.*.name")).toMatchObject({ kind: "reference", source: "volume" });
    expect(at(job, "secrets.*.secret")).toMatchObject({ kind: "reference", source: "secret" });
    expect(at(job, "secretEnv")).toMatchObject({ kind: "map", secret: true, nullable: true });
    expect(at(job, "command").kind).toBe("words");
    expect(at(form("schedule"), "job.volumes.*.name")).toMatchObject({ source: "volume" });
    expect(() => at(form("schedule"), "job.secretEnv")).toThrow();
    expect(at(form("budget"), "amount")).toMatchObject({ kind: "text", unit: "money" });
    expect(at(form("agreement"), "startsOn")).toMatchObject({ unit: "date" });
    expect(at(form("token"), "expiresAt")).toMatchObject({ unit: "time", nullable: true });
    expect(at(form("issuer"), "clientSecret")).toMatchObject({ kind: "text", secret: true });
  });

  it("sorts what runs by sections", () => {
    expect(sectionsOf(form("service")).map((part) => part.title)).toEqual([
      "What runs",
      "Size",
      "Where it may run",
      "Files and settings",
      "How it is reached",
      "How it is kept running",
    ]);
    expect(sectionsOf(form("policy")).map((part) => part.id)).toEqual(["place", "general"]);
    expect(sectionsOf(form("snapshot"))).toEqual([]);
  });

  it("says what is wrong at its field", () => {
    const job = form("job");
    const draft: Draft = {
      ...(draftOf(job) as Record<string, Draft>),
      memory: "1 KiB",
      millicores: "much",
      command: "echo 'open",
      count: "0",
      timeLimit: "1.5 h",
      env: {
        rows: [
          ["1BAD", "x"],
          ["A", "1"],
          ["A", "2"],
          ["", ""],
        ],
      },
      volumes: [{ name: "", path: "/", readOnly: false }],
    };
    expect(Object.fromEntries(problemsIn(job, draft))).toEqual({
      "/memory": "At least 4 MiB",
      "/millicores": "Not an amount: write it such as 2 or 0.5",
      "/command": "A quote is not closed",
      "/count": "At least 1",
      "/env": "A stands here twice",
      "/volumes/0/name": "Needs to be filled in",
      "/volumes/0/path": "At least 2 characters",
    });
  });

  it("puts the server's words at the deepest field there is", () => {
    const job = form("job");
    const heard = placed(job, "no such volume", [
      { pointer: "/spec/volumes/0/name" },
      { pointer: "/spec/env/A~1B" },
      { pointer: "/spec/ports/3" },
      { pointer: "/metadata/name" },
    ]);
    expect(Object.fromEntries(heard.at)).toEqual({
      "/volumes/0/name": "No such volume",
      "/env/A~1B": "No such volume",
      "/ports/3": "No such volume",
    });
    expect(heard.rest).toEqual(["No such volume"]);
    expect(placed(job, "out of money", []).rest).toEqual(["Out of money"]);
  });
});
