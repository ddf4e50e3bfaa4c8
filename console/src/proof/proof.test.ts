import { describe, expect, it } from "vitest";
import { type Bytes, Failed, hex, unbase64 } from "./bytes";
import cases from "./cases.json";
import { checkpointOf, keyOf } from "./note";
import { verifyReceipt } from "./receipt";
import { proven } from "./statement";
import { pathOf, subtrees } from "./tiles";
import { inclusion } from "./tree";

const tiles: Record<string, string> = cases.tiles;
const files = async (path: string): Promise<Bytes> => {
  const found = unbase64(tiles[path] ?? "");
  if (!found || found.length === 0) throw new Error(`${path} is not published`);
  return found;
};
const key = () => keyOf(cases.key);
const log = async () => checkpointOf(cases.checkpoint, await key());
const why = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "it holds",
    (error: unknown) => (error instanceof Failed ? error.message : `another: ${error}`),
  );

describe("what the log's own code has made", () => {
  it("has its paths in the tiles", async () => {
    const { size } = await log();
    for (const said of cases.statements) {
      const path = await inclusion(said.position, size, subtrees(size, files));
      expect(path.map(hex)).toEqual(said.path);
    }
  });

  it("is proven, with each step of the way", async () => {
    for (const said of cases.statements) {
      const found = await proven(said, said.path, await log());
      expect(found.steps.length).toBe(said.path.length);
      expect(found.steps.at(-1)?.made).toBe(found.root);
      expect([found.kind, found.verb, found.size]).toEqual(["thing", "put", 70_003]);
    }
  });

  it("is a receipt that holds", async () => {
    const found = await verifyReceipt(JSON.stringify(cases.receipt), await key());
    expect(found.sections.map((one) => [one.name, one.statements.length, one.items])).toEqual([
      ["resource", 3, 0],
      ["ledger", 1, 2],
    ]);
  });
});

describe("what was altered fails, and says where", () => {
  const said = cases.statements[1] as (typeof cases.statements)[number];

  it.each([
    ["body", { ...said, body: '{"name":"Bo"}' }, "its body is not what was logged"],
    ["actor", { ...said, actor: "eve@acme" }, "its actor is not what was logged"],
    ["salt", { ...said, salt: `00${said.salt.slice(2)}` }, "its subject is not what was logged"],
    ["leaf", { ...said, leaf: said.leaf.replace("put", "del") }, "is not number 257 of the 70003"],
    ["position", { ...said, position: 258 }, "is not number 258 of the 70003"],
    ["beyond", { ...said, position: 70_003 }, "its path has the wrong length"],
    ["path", { ...said, path: said.path.slice(1) }, "its path has the wrong length"],
    ["no hash", { ...said, path: ["x", ...said.path.slice(1)] }, "its path has what is no hash"],
  ])("%s", async (_name, altered, told) => {
    expect(await why(proven(altered, altered.path, await log()))).toContain(told);
  });

  it("a checkpoint", async () => {
    const altered = cases.checkpoint.replace("70003", "70004");
    expect(await why(checkpointOf(altered, await key()))).toContain("the text was altered");
    const other = cases.checkpoint.replaceAll("north", "south");
    expect(await why(checkpointOf(other, await key()))).toContain("is not signed by the key");
    expect(await why(checkpointOf("nothing", await key()))).toContain("not a signed note");
  });

  it("a key", async () => {
    expect(await why(keyOf(cases.key.replace("north", "south")))).toContain("do not belong");
    expect(await why(keyOf("skerry/north"))).toContain("must read name+id+base64");
  });

  it.each([
    ["title", (text: string) => text.replace("Receipt of", "Bill of"), "/title: is not what"],
    ["evidence", (text: string) => text.replace("attested-host", "declared"), "/sections/0: is"],
    ["item", (text: string) => text.replace("usage 4", "usage 5"), "item 2: is not number 4"],
    ["origin", (text: string) => text.replace("skerry/north", "skerry/south"), "is by skerry/s"],
    ["no JSON", (text: string) => text.slice(1), "is not JSON"],
    ["no receipt", () => "{}", "is not of the format"],
  ])("a receipt's %s", async (_name, alter, told) => {
    const altered = alter(JSON.stringify(cases.receipt));
    expect(await why(verifyReceipt(altered, await key()))).toContain(told);
  });
});

it("names tiles as the log does", () => {
  expect(pathOf(0, 1_234_067, 256)).toBe("tile/0/x001/x234/067");
  expect(pathOf(1, 0, 17)).toBe("tile/1/000.p/17");
});
