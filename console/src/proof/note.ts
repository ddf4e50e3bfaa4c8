/** Verifier keys, signed notes and checkpoints (C2SP signed-note, tlog-checkpoint), by WebCrypto. */
import { type Bytes, Failed, hex, sha256, unbase64, utf8 } from "./bytes";

const ED25519 = 1;
const NAME = /^[^\s+]+$/u;
const MOST_SIGNATURES = 64;

/** An operator's verifier key: `name+id+base64`. */
export interface Key {
  name: string;
  /** Eight hex digits. */
  id: string;
  public: Bytes;
}

export interface Checkpoint {
  origin: string;
  /** Changes in the tree. */
  size: number;
  root: Bytes;
}

/** Raises `Failed` for what is no key of an operator. */
export async function keyOf(text: string): Promise<Key> {
  const [name = "", id = "", ...rest] = text.trim().split("+");
  const material = unbase64(rest.join("+"));
  if (!NAME.test(name) || material?.length !== 33 || material[0] !== ED25519) {
    throw new Failed("the key", "must read name+id+base64 of an Ed25519 key");
  }
  const made = hex(await sha256(utf8(`${name}\n`), material)).slice(0, 8);
  if (made !== id) throw new Failed("the key", "its name and id do not belong together");
  return { name, id, public: material.slice(1) };
}

/** The text of a note that the key has signed. Others' signatures are passed over. */
export async function opened(note: string, key: Key, where: string): Promise<string> {
  const gap = note.lastIndexOf("\n\n");
  const text = note.slice(0, gap + 1);
  const lines = note.slice(gap + 2).split("\n");
  const controls = [...note].some((letter) => letter < " " && letter !== "\n");
  if (gap < 0 || controls || lines.pop() !== "" || lines.length > MOST_SIGNATURES) {
    throw new Failed(where, "this is not a signed note");
  }
  const found = lines
    .map((line) => signatureOf(line, where))
    .filter(({ name, data }) => {
      return name === key.name && hex(data.slice(0, 4)) === key.id;
    });
  if (found.length === 0) throw new Failed(where, `is not signed by the key of ${key.name}`);
  for (const { data } of found) {
    if (!(await isBy(key, data.slice(4), utf8(text)))) {
      throw new Failed(where, "the signature does not fit: the text was altered");
    }
  }
  return text;
}

function signatureOf(line: string, where: string): { name: string; data: Bytes } {
  const [dash, name = "", material = "", ...more] = line.split(" ");
  const data = unbase64(material);
  if (dash !== "—" || !NAME.test(name) || !data || data.length < 5 || more.length > 0) {
    throw new Failed(where, "a signature line is malformed");
  }
  return { name, data };
}

async function isBy(key: Key, signature: Bytes, message: Bytes): Promise<boolean> {
  const made = await crypto.subtle.importKey("raw", key.public, "Ed25519", false, ["verify"]);
  return crypto.subtle.verify("Ed25519", made, signature, message);
}

/** The checkpoint of a note that the key has signed, of the key's own log. */
export async function checkpointOf(note: string, key: Key): Promise<Checkpoint> {
  const where = "the checkpoint";
  const text = await opened(note, key, where);
  const parts = /^(.+)\n(0|[1-9][0-9]{0,15})\n(.+)\n$/.exec(text);
  const root = unbase64(parts?.[3] ?? "");
  if (!parts || root?.length !== 32) throw new Failed(where, "it must be origin, size, root");
  if (parts[1] !== key.name) throw new Failed(where, `is of another log, ${parts[1]}`);
  return { origin: key.name, size: Number(parts[2]), root };
}
