import { describe, expect, it } from "vitest";
import { createWords, quoteWords, typed, updateWords } from "./cli";
import { callOf, manifestOf } from "./manifest";
import { example, form, pruned, told } from "./testing";
import type { Spec } from "./values";

/** Read again by tests/cli/test_console.py, with the command line's own reader. */
const CASES = "./cli.cases.jsonl";

describe("the command line of a form", () => {
  it("is written down for every kind that can be created", async () => {
    const cases = told.kinds
      .filter((kind) => kind.ops.includes("put") && kind.noun !== "quote")
      .flatMap((kind) =>
        [1, 2, 3].map((seed) => {
          const made = form(kind.noun);
          const spec = pruned(made, example(made, seed) as Spec);
          const [, ...args] = createWords(made, { noun: kind.noun, name: "it" }, spec);
          return { noun: kind.noun, spec, args };
        }),
      );
    await expect(`${cases.map((made) => JSON.stringify(made)).join("\n")}\n`).toMatchFileSnapshot(
      CASES,
    );
  });

  it("says what people say", () => {
    const spec = {
      command: ["sh", "-c", "echo $A"],
      millicores: 500,
      memory: 2 ** 31,
      env: { A: "b c" },
      gpus: 1,
      volumes: [{ name: "data", path: "/d", readOnly: true }],
      secrets: [{ secret: "db", key: "password", env: "PASSWORD" }],
      secretEnv: { TOKEN: "hush" },
      timeLimit: 5400,
      network: true,
    };
    const target = { noun: "job", name: "train", workspace: "lab", labels: { team: "blue" } };
    const words = typed(createWords(form("job"), target, spec));
    expect(words).toBe(
      "skerry job create train --workspace lab --label team=blue --cpus 0.5 --memory 2GiB --gpus 1" +
        " --env 'A=b c' --secret-env TOKEN --secret db/password=PASSWORD --volume data:/d:ro" +
        " --network --time-limit 90m -- sh -c 'echo $A'",
    );
    expect(typed(quoteWords(form("job"), target, spec))).not.toContain("TOKEN");
    expect(manifestOf(form("job"), target, spec)).toContain("TOKEN:\n      env: TRAIN_TOKEN");
    expect(
      manifestOf(form("job"), target, spec) + callOf(form("job"), "/x", spec).body,
    ).not.toContain("hush");
    expect(
      typed(
        createWords(
          form("snapshot"),
          { noun: "snapshot", name: "", parents: { volume: "data" } },
          {},
        ),
      ),
    ).toBe("skerry snapshot create NAME --volume data");
  });

  it("says only what an edit changes, and nothing where flags can not", () => {
    const target = { noun: "service", name: "web" };
    const change = (before: Spec, after: Spec): string | undefined => {
      const words = updateWords(form("service"), target, before, after);
      return words && typed(words);
    };
    expect(change({ port: 80, replicas: 2 }, { port: 80, replicas: 3 })).toBe(
      "skerry service update web --replicas 3",
    );
    expect(change({ port: 80, region: "x", hosts: ["a.b"] }, { port: 80 })).toBe(
      `skerry service update web --set 'region=""' --set 'hosts=[]'`,
    );
    expect(change({ port: 80, env: { A: "1" } }, { port: 80, env: { B: "1" } })).toBeUndefined();
    expect(change({ port: 80, command: ["a"] }, { port: 80, command: ["b", "-c"] })).toBe(
      "skerry service update web -- b -c",
    );
  });
});
