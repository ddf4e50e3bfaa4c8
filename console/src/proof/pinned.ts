/**
 * The operator's key as this browser keeps it: the one a person gave, or the first that it saw. What
 * a cloud hands out is compared with it, so that a key that was exchanged is noticed.
 */
import { Failed } from "./bytes";
import { type Key, keyOf } from "./note";

const PLACE = "skerry-operator-key";

export interface Pinned {
  text: string;
  /** Whether a person gave it, who had it another way; else it is the first that was seen. */
  given: boolean;
  /** Since when. */
  at: string;
}

const told = new Set<() => void>();
let known: Pinned | undefined | null = null;

/** To be told of changes; for `useSyncExternalStore`. */
export function onPinned(listener: () => void): () => void {
  told.add(listener);
  return () => told.delete(listener);
}

export function pinned(): Pinned | undefined {
  if (known === null) known = read();
  return known;
}

function read(): Pinned | undefined {
  try {
    const found = JSON.parse(localStorage.getItem(PLACE) ?? "null") as Partial<Pinned> | null;
    if (typeof found?.text !== "string") return undefined;
    return { text: found.text, given: found.given === true, at: String(found.at ?? "") };
  } catch {
    return undefined;
  }
}

/** Keep a key. Raises `Failed` for what is none. */
export async function pin(text: string, given: boolean): Promise<void> {
  const { name, id } = await keyOf(text);
  const rest = text.trim().split("+").slice(2).join("+");
  set({ text: `${name}+${id}+${rest}`, given, at: new Date().toISOString() });
}

export function unpin(): void {
  set(undefined);
}

function set(next: Pinned | undefined): void {
  known = next;
  try {
    if (next) localStorage.setItem(PLACE, JSON.stringify(next));
    else localStorage.removeItem(PLACE);
  } catch {
    // Storage is closed to us: it is kept as long as this page.
  }
  for (const listener of told) listener();
}

/** The key that proofs are checked with: the kept one, if the cloud still hands out the same.
 *  Raises `Failed` where it does not. */
export async function trustedKey(handed: string): Promise<Key> {
  const now = await keyOf(handed);
  const kept = pinned();
  if (!kept) {
    await pin(handed, false);
    return now;
  }
  if (kept.text !== handed.trim()) {
    throw new Failed(
      "the key",
      `this cloud now hands out another one (${now.name}+${now.id}) than this browser keeps ` +
        `(${kept.text.split("+").slice(0, 2).join("+")})`,
    );
  }
  return now;
}
