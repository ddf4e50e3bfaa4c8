/** Proofs from this cloud's own published log: its key, its newest checkpoint, its tiles. */
import { api, send } from "~/api/http";
import { type Bytes, Failed, hex } from "./bytes";
import { checkpointOf, type Key } from "./note";
import { trustedKey } from "./pinned";
import { type ProvenReceipt, verifyReceipt } from "./receipt";
import { type Proven, proven, type Statement } from "./statement";
import { subtrees } from "./tiles";
import { inclusion } from "./tree";

const LOG = "/providers/skerry.proof/v1";
const TRIES = 3;

/** The operator's key, as this cloud hands it out. */
export const handedKey = (): Promise<string> => api.text(`${LOG}/key`);

/** The same, once it is the one that this browser keeps. */
const operatorKey = async (): Promise<Key> => trustedKey(await handedKey());

async function file(path: string): Promise<Bytes> {
  const answer = await send(`${LOG}/${path}`, { headers: { accept: "*/*" } });
  return new Uint8Array(await answer.arrayBuffer());
}

/** Check that a change is in the log that the operator signed. Raises `Failed`. */
export async function proveEvent(said: Statement): Promise<Proven> {
  const key = await operatorKey();
  for (let left = TRIES; ; left -= 1) {
    const log = await checkpointOf(await api.text(`${LOG}/checkpoint`), key);
    if (said.position >= log.size) {
      throw new Failed("the log", "the signed checkpoint does not reach it yet: try again");
    }
    let path: Bytes[];
    try {
      path = await inclusion(said.position, log.size, subtrees(log.size, file));
    } catch (error) {
      // The log has grown meanwhile, and the tile of its old end is gone.
      if (error instanceof Failed || left <= 1) throw error;
      continue;
    }
    return proven(said, path.map(hex), log);
  }
}

/** Check a receipt's text with this cloud's key. Raises `Failed`. */
export const proveReceipt = async (text: string): Promise<ProvenReceipt> =>
  verifyReceipt(text, await operatorKey());
