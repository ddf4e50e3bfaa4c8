/** A receipt, checked as `skerry verify` does: its checkpoint, statements, items and seal. */
import { Failed, hex, same, sha256, unhex, utf8 } from "./bytes";
import { type Checkpoint, checkpointOf, type Key, opened } from "./note";
import { type Proven, proven, type Statement } from "./statement";
import { climbed, leafHash } from "./tree";

const FORMAT = "skerry-receipt/v1";

export interface Item {
  statement: number;
  pointer: string;
  index: number;
  data: string;
  path: string[];
}

export interface Section {
  name: string;
  evidence: string;
  statements: (Statement & { path: string[] })[];
  items: Item[];
}

export interface Receipt {
  format: string;
  origin: string;
  title: string;
  subject: string;
  issuedAt: string;
  checkpoint: string;
  sections: Section[];
  seal: string;
}

export interface ProvenSection {
  name: string;
  /** Who vouches: `declared`, `attested-host`, `attested-hardware`. */
  evidence: string;
  statements: Proven[];
  items: number;
}

export interface ProvenReceipt {
  title: string;
  subject: string;
  issuedAt: string;
  origin: string;
  size: number;
  sections: ProvenSection[];
}

/** Check the text of a receipt with the operator's key. Raises `Failed`. */
export async function verifyReceipt(text: string, key: Key): Promise<ProvenReceipt> {
  const receipt = parsed(text);
  if (receipt.origin !== key.name) {
    throw new Failed("the receipt", `is by ${receipt.origin}, the key of ${key.name}`);
  }
  const log = await checkpointOf(receipt.checkpoint, key);
  const sections = [];
  for (const section of receipt.sections) sections.push(await checked(section, log));
  await sealed(receipt, key);
  const { title, subject, issuedAt, origin } = receipt;
  return { title, subject, issuedAt, origin, size: log.size, sections };
}

function parsed(text: string): Receipt {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Failed("the receipt", "is not JSON");
  }
  const receipt = value as Receipt | null;
  if (receipt?.format !== FORMAT || !Array.isArray(receipt.sections)) {
    throw new Failed("the receipt", `is not of the format known here, ${FORMAT}`);
  }
  return receipt;
}

async function checked(section: Section, log: Checkpoint): Promise<ProvenSection> {
  const where = `section ${section.name}`;
  const statements = [];
  for (const [at, said] of section.statements.entries()) {
    statements.push(await proven(said, said.path, log, `${where}, statement ${at + 1}`));
  }
  for (const [at, item] of section.items.entries()) {
    await inBatch(item, section.statements[item.statement], `${where}, item ${at + 1}`);
  }
  return {
    name: section.name,
    evidence: section.evidence,
    statements,
    items: section.items.length,
  };
}

async function inBatch(item: Item, said: Statement | undefined, where: string): Promise<void> {
  if (!said) throw new Failed(where, "there is no such statement");
  const { root, size } = batchAt(said.body, item.pointer, where);
  const path = item.path.map(unhex);
  const found = await climbed(
    await leafHash(utf8(item.data)),
    item.index,
    size,
    path.filter((one) => one !== undefined),
  );
  const wanted = unhex(root);
  if (!found || !wanted || !same(found.root, wanted)) {
    throw new Failed(where, `is not number ${item.index} of the ${size} that were stated`);
  }
}

/** Root and size of the batch at a JSON pointer in a statement's body. */
function batchAt(body: string, pointer: string, where: string): { root: string; size: number } {
  let found: unknown = JSON.parse(body);
  for (const step of pointer.split("/").slice(1)) {
    const name = step.replaceAll("~1", "/").replaceAll("~0", "~");
    found = (found as Record<string, unknown> | null | undefined)?.[name];
  }
  const batch = found as { root?: unknown; size?: unknown } | null | undefined;
  if (typeof batch?.root !== "string" || typeof batch.size !== "number") {
    throw new Failed(where, "no batch (root and size) stands there in the body");
  }
  return { root: batch.root, size: batch.size };
}

/** The operator signed the digest of every part, so that nothing was changed, left out or added. */
async function sealed(receipt: Receipt, key: Key): Promise<void> {
  const { seal, sections, ...rest } = receipt;
  const parts = new Map<string, unknown>();
  for (const [name, part] of Object.entries(rest)) parts.set(`/${name}`, part);
  for (const [at, part] of sections.entries()) parts.set(`/sections/${at}`, part);
  const lines = [FORMAT];
  for (const name of [...parts.keys()].sort(byCodePoint)) {
    lines.push(`${name} ${hex(await sha256(utf8(canonical(parts.get(name)))))}`);
  }
  const text = await opened(seal, key, "the seal");
  const then = text.split("\n");
  const now = [...lines, ""];
  for (let at = 0; at < Math.max(then.length, now.length); at += 1) {
    if (now[at] !== then[at]) {
      const part = (now[at] ?? then[at] ?? "").split(" ")[0] ?? "";
      throw new Failed(part, "is not what the operator sealed");
    }
  }
}

/** JSON with sorted names, no spaces, and all but ASCII escaped. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const pairs = Object.entries(value).sort(([one], [other]) => byCodePoint(one, other));
    return `{${pairs.map(([name, part]) => `${quoted(name)}:${canonical(part)}`).join(",")}}`;
  }
  return typeof value === "string" ? quoted(value) : JSON.stringify(value);
}

const quoted = (text: string): string =>
  JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

function byCodePoint(one: string, other: string): number {
  const [a, b] = [[...one], [...other]];
  for (let at = 0; at < Math.min(a.length, b.length); at += 1) {
    const gap = (a[at]?.codePointAt(0) ?? 0) - (b[at]?.codePointAt(0) ?? 0);
    if (gap !== 0) return gap;
  }
  return a.length - b.length;
}
