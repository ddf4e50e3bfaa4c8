/** A statement: one change with everything its leaf in the log hashes. */
import { Failed, hex, same, sha256, unhex, utf8 } from "./bytes";
import type { Checkpoint } from "./note";
import { climbed, leafHash, type Step } from "./tree";

const HASHED = ["subject", "tenant", "workspace", "actor", "body"] as const;

export interface Statement {
  position: number;
  subject: string;
  tenant: string;
  workspace: string;
  actor: string;
  body: string;
  salt: string;
  leaf: string;
}

/** What was checked, step by step. */
export interface Proven {
  statement: Statement;
  /** What the leaf says in the open. */
  kind: string;
  verb: string;
  at: string;
  leafHash: string;
  steps: Step[];
  root: string;
  /** Changes in the log under the checkpoint. */
  size: number;
  /** The log's name, which is the key's. */
  origin: string;
}

/** Check a statement against a signed checkpoint; `path` is that of `inclusion`, in hex. Raises
 * `Failed`. */
export async function proven(
  said: Statement,
  path: readonly unknown[],
  log: Checkpoint,
  where = "the statement",
): Promise<Proven> {
  const salt = unhex(said.salt);
  if (!salt || salt.length < 16 || salt.length > 32) {
    throw new Failed(where, "its salt must be 16 to 32 bytes in hex");
  }
  const leaf = leafOf(said.leaf, where);
  for (const name of HASHED) {
    if (hex(await sha256(salt, utf8(said[name]))) !== leaf[name]) {
      throw new Failed(where, `its ${name} is not what was logged: altered, or the salt was`);
    }
  }
  const hashes = path.map(unhex).filter((one) => one?.length === 32);
  if (hashes.length !== path.length) throw new Failed(where, "its path has what is no hash");
  const own = await leafHash(utf8(said.leaf));
  const found = await climbed(own, said.position, log.size, hashes as never);
  if (!found) throw new Failed(where, `its path has the wrong length for number ${said.position}`);
  if (!same(found.root, log.root)) {
    throw new Failed(where, `is not number ${said.position} of the ${log.size} that were signed`);
  }
  return {
    statement: said,
    kind: String(leaf.kind),
    verb: String(leaf.verb),
    at: String(leaf.at),
    leafHash: hex(own),
    steps: found.steps,
    root: hex(found.root),
    size: log.size,
    origin: log.origin,
  };
}

function leafOf(text: string, where: string): Record<string, unknown> {
  try {
    const leaf: unknown = JSON.parse(text);
    if (typeof leaf === "object" && leaf !== null && (leaf as { v?: unknown }).v === 1) {
      return leaf as Record<string, unknown>;
    }
  } catch {
    // said below
  }
  throw new Failed(where, "its leaf is of no version that is known here");
}
