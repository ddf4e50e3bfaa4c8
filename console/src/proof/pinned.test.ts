import { beforeEach, describe, expect, it } from "vitest";
import cases from "./cases.json";
import { pin, pinned, trustedKey, unpin } from "./pinned";

const KEY = (cases as { key: string }).key;
const store = new Map<string, string>();
globalThis.localStorage = {
  getItem: (name: string) => store.get(name) ?? null,
  setItem: (name: string, text: string) => void store.set(name, text),
  removeItem: (name: string) => void store.delete(name),
} as unknown as Storage;

/** Another key of the same name, made as an operator's is. */
async function other(): Promise<string> {
  const name = KEY.split("+")[0] ?? "";
  const material = new Uint8Array(33).fill(7);
  material[0] = 1;
  const head = new TextEncoder().encode(`${name}\n`);
  const digest = await crypto.subtle.digest("SHA-256", new Uint8Array([...head, ...material]));
  const id = [...new Uint8Array(digest).slice(0, 4)]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
  return `${name}+${id}+${btoa(String.fromCharCode(...material))}`;
}

describe("the operator's key", () => {
  beforeEach(unpin);

  it("is kept when it is first seen, and holds from then on", async () => {
    await trustedKey(`${KEY}\n`);
    expect(pinned()).toMatchObject({ text: KEY, given: false });
    expect(store.get("skerry-operator-key")).toContain(KEY);
    await expect(trustedKey(KEY)).resolves.toMatchObject({ name: KEY.split("+")[0] });
  });

  it("that is exchanged is refused until somebody takes it", async () => {
    await pin(KEY, true);
    const exchanged = await other();
    await expect(trustedKey(exchanged)).rejects.toThrow("another one");
    expect(pinned()).toMatchObject({ text: KEY, given: true });
    await pin(exchanged, true);
    await expect(trustedKey(exchanged)).resolves.toBeTruthy();
  });

  it("that is none is not kept", async () => {
    await expect(pin("hello", true)).rejects.toThrow("name+id+base64");
    expect(pinned()).toBeUndefined();
  });
});
