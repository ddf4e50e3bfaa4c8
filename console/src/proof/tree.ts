/** The Merkle tree of RFC 6962: which path leads from a leaf to the root, and whether it does. */
import { type Bytes, hex, joined, sha256 } from "./bytes";

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/** One step of the way up. */
export interface Step {
  /** The neighbour's hash, in hex, and on which side of ours it stands. */
  hash: string;
  side: "left" | "right";
  /** The hash of both. */
  made: string;
}

/** Where hashes of whole subtrees come from: the one of 2^`height` leaves, number `index`. */
export type Subtree = (height: number, index: number) => Promise<Bytes>;

export const leafHash = (leaf: Bytes): Promise<Bytes> => sha256(LEAF, leaf);
export const nodeHash = (left: Bytes, right: Bytes): Promise<Bytes> => sha256(NODE, left, right);

/** The way from a leaf up, and where it ends; undefined where the path's length is wrong. */
export async function climbed(
  leaf: Bytes,
  index: number,
  size: number,
  path: readonly Bytes[],
): Promise<{ steps: Step[]; root: Bytes } | undefined> {
  if (!(index >= 0 && index < size)) return undefined;
  const rest = [...path];
  const steps: Step[] = [];
  let node = leaf;
  let at = index;
  let last = size - 1;
  while (last > 0) {
    const right = at % 2 === 1;
    if (right || at < last) {
      const other = rest.shift();
      if (!other) return undefined;
      node = await (right ? nodeHash(other, node) : nodeHash(node, other));
      steps.push({ hash: hex(other), side: right ? "left" : "right", made: hex(node) });
    }
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  return rest.length > 0 ? undefined : { steps, root: node };
}

/** The path that proves leaf `index` of the tree of `size` leaves (RFC 6962, section 2.1.1). */
export async function inclusion(index: number, size: number, from: Subtree): Promise<Bytes[]> {
  const path: Promise<Bytes>[] = [];
  let [low, high] = [0, size];
  while (high - low > 1) {
    const middle = low + split(high - low);
    if (index < middle) {
      path.push(range(middle, high, from));
      high = middle;
    } else {
      path.push(range(low, middle, from));
      low = middle;
    }
  }
  return (await Promise.all(path)).reverse();
}

/** The hash over the leaves from `low` to before `high`. */
async function range(low: number, high: number, from: Subtree): Promise<Bytes> {
  const count = high - low;
  const part = split(count);
  if (count === part * 2 || count === 1) return from(Math.log2(count), low / count);
  return nodeHash(await range(low, low + part, from), await range(low + part, high, from));
}

/** The largest power of two below. */
const split = (count: number): number => 2 ** Math.max(0, Math.ceil(Math.log2(count)) - 1);

/** The hash over hashes that stand side by side; their number is a power of two. */
export async function over(hashes: Bytes): Promise<Bytes> {
  let row = Array.from({ length: hashes.length / 32 }, (_, at) =>
    hashes.slice(at * 32, at * 32 + 32),
  );
  while (row.length > 1) {
    row = await Promise.all(
      row.flatMap((left, at) => (at % 2 ? [] : [nodeHash(left, row[at + 1] ?? joined([]))])),
    );
  }
  return row[0] ?? joined([]);
}
