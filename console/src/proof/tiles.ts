/** The log's published tiles (C2SP tlog-tiles), as a source of subtrees. */
import { type Bytes, Failed } from "./bytes";
import { over, type Subtree } from "./tree";

const HEIGHT = 8;
const WIDTH = 2 ** HEIGHT;

/** Gives a file of the log by its path, such as `tile/0/x001/234.p/5`. */
export type Files = (path: string) => Promise<Bytes>;

export function pathOf(level: number, number: number, width: number): string {
  const digits = String(number);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, "0").match(/.{3}/g) ?? [];
  const name = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join("/");
  return `tile/${level}/${name}${width < WIDTH ? `.p/${width}` : ""}`;
}

/** The subtrees of a tree of `size` leaves, from its tiles; each is asked for once. */
export function subtrees(size: number, files: Files): Subtree {
  const known = new Map<string, Promise<Bytes>>();
  const tile = (level: number, number: number): Promise<Bytes> => {
    const there = Math.floor(size / WIDTH ** level);
    const path = pathOf(level, number, Math.min(WIDTH, there - number * WIDTH));
    const found = known.get(path) ?? files(path);
    known.set(path, found);
    return found;
  };
  return async (height, index) => {
    const level = Math.floor(height / HEIGHT);
    const count = 2 ** (height % HEIGHT);
    const number = Math.floor((index * count) / WIDTH);
    const begin = (index * count - number * WIDTH) * 32;
    const hashes = (await tile(level, number)).slice(begin, begin + count * 32);
    if (hashes.length !== count * 32) throw new Failed("the log", "a tile is cut short");
    return over(hashes);
  };
}
