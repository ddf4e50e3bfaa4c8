// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { api, withQuery } from "./http";
import { Problem } from "./problem";
import { beginSession, currentSession, sessionEnded } from "./session";

const session = {
  token: "secret",
  tenant: "acme",
  subject: "users/ann",
  displayName: "Ann",
  operator: false,
  expiresAt: "",
};
let sent: RequestInit | undefined;
let answer: () => Response;

beforeEach(() => {
  beginSession(session);
  vi.stubGlobal("fetch", async (_url: string, how: RequestInit) => {
    sent = how;
    return answer();
  });
});

afterEach(() => vi.unstubAllGlobals());

function problem(status: number, more: object = {}): Response {
  const body = JSON.stringify({ title: "No", status, detail: "not so", ...more });
  return new Response(body, { status, headers: { "content-type": "application/problem+json" } });
}

describe("requests", () => {
  it("carry the token in a header, and the version", async () => {
    answer = () => new Response("{}");
    await api.put("/x", { a: 1 }, 7);
    const headers = sent?.headers as Record<string, string>;
    expect(headers.authorization).toBe("Bearer secret");
    expect(headers["if-unmodified-since"]).toBe("7");
  });

  it("leave out what is not asked", () => {
    expect(withQuery("/x", { a: "", b: undefined, c: 0, d: "y z" })).toBe("/x?c=0&d=y+z");
  });

  it("tell a problem's field, hint and request", async () => {
    const sources = [{ pointer: "/spec/image" }];
    answer = () => problem(422, { hint: "name one", requestId: "r1", sources });
    const error = await api.get("/x").catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(Problem);
    const found = error as Problem;
    expect([found.hint, found.requestId]).toEqual(["name one", "r1"]);
    expect(found.at("/spec/image")).toBe("not so");
    expect(found.at("/spec/command")).toBeUndefined();
  });

  it("say in words that there was no answer, or none that can be read", async () => {
    answer = () => {
      throw new TypeError("network");
    };
    const away = (await api.get("/x").catch((caught: unknown) => caught)) as Problem;
    expect([away.status, away.passing]).toEqual([0, true]);
    answer = () => new Response("<h1>Bad gateway</h1>", { status: 502 });
    const bad = (await api.get("/x").catch((caught: unknown) => caught)) as Problem;
    expect(bad.detail).toContain("502");
  });

  it("end the session when the server no longer knows its token", async () => {
    answer = () => problem(401);
    await api.get("/x").catch(() => undefined);
    expect(currentSession()).toBeNull();
    expect(sessionEnded()).toBe(true);
  });
});
