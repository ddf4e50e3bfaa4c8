/**
 * A form by sections. Which section a field belongs to follows from what its name means, the same
 * for all kinds, so that a product the console has never heard of gets a form that reads well too.
 */

import type { GroupNode, Node } from "./node";

export interface Section {
  readonly id: string;
  readonly title: string;
  /** What everybody sees. */
  readonly basic: readonly Node[];
  /** What is there for those who look for it. */
  readonly advanced: readonly Node[];
}

interface Meaning {
  readonly id: string;
  readonly title: string;
  readonly basic: readonly string[];
  readonly advanced: readonly string[];
}

const MEANINGS: readonly Meaning[] = [
  {
    id: "runs",
    title: "What runs",
    basic: ["cron", "timeZone", "job", "image", "command"],
    advanced: ["requirements", "imageSecret", "inputs", "artifacts", "missed", "overlap"],
  },
  {
    id: "size",
    title: "Size",
    basic: ["gpus", "gpuModel", "millicores", "memory", "size", "count", "replicas"],
    advanced: ["disk"],
  },
  {
    id: "place",
    title: "Where it may run",
    basic: ["region", "jurisdictions", "forbidden", "operators", "trustTier"],
    advanced: ["site", "isolation", "evidence"],
  },
  {
    id: "data",
    title: "Files and settings",
    basic: ["volume", "volumes", "env", "from"],
    advanced: ["secrets", "secretEnv", "data"],
  },
  {
    id: "reach",
    title: "How it is reached",
    basic: ["port", "protocol", "login", "hosts"],
    advanced: ["network", "ports", "tcpPort", "backends", "wake", "key", "limits"],
  },
  {
    id: "life",
    title: "How it is kept running",
    basic: ["timeLimit", "idle", "retries"],
    advanced: ["health", "grace", "patience", "surge", "progress", "drain", "keep", "suspended"],
  },
];
/** Below so many fields there is nothing to sort. */
const FEW = 8;

/** The sections of a form, none of them empty, in the order in which people decide. */
export function sectionsOf(form: GroupNode): readonly Section[] {
  if (form.fields.length < FEW && !runs(form)) {
    return form.fields.length === 0
      ? []
      : [{ id: "general", title: "What it is", basic: ordered(form.fields), advanced: [] }];
  }
  const known = runs(form) ? MEANINGS : [];
  const taken = new Set(known.flatMap((meaning) => [...meaning.basic, ...meaning.advanced]));
  const other = form.fields.filter((field) => !taken.has(field.name));
  const made = known.map((meaning) => sectionOf(form, meaning));
  const plain = other.filter((field) => field.kind !== "group");
  const general: Section = {
    id: "general",
    title: known.length === 0 ? "What it is" : "More",
    basic: ordered(plain.filter((field) => (known.length === 0 ? !isRare(field) : field.required))),
    advanced: plain.filter((field) => (known.length === 0 ? isRare(field) : !field.required)),
  };
  const groups = other
    .filter((field) => field.kind === "group")
    .map(
      (field): Section => ({ id: field.name, title: field.label, basic: [field], advanced: [] }),
    );
  const all = known.length === 0 ? [general, ...groups] : [...made, general, ...groups];
  return all.filter((section) => section.basic.length + section.advanced.length > 0);
}

/** Whether it is something that runs somewhere, or is started by what it says. */
function runs(form: GroupNode): boolean {
  const names = new Set(form.fields.map((field) => field.name));
  return names.has("millicores") || names.has("job") || names.has("jurisdictions");
}

function sectionOf(form: GroupNode, meaning: Meaning): Section {
  const find = (name: string): Node[] => form.fields.filter((field) => field.name === name);
  const advanced = meaning.advanced.flatMap(find);
  return {
    id: meaning.id,
    title: meaning.title,
    basic: [...meaning.basic.flatMap(find), ...advanced.filter((field) => field.required)],
    advanced: advanced.filter((field) => !field.required),
  };
}

/** Those that must be filled in first; else as they were declared. */
function ordered(fields: readonly Node[]): readonly Node[] {
  return [
    ...fields.filter((field) => field.required),
    ...fields.filter((field) => !field.required),
  ];
}

const RARE =
  /^(note|extraLine|registration|buyerReference|footer|exemption|taxNumber|numberPrefix|bic|bank|phone|contact|priceVersion|latency|notice|evidence|isolations|seller|scopes|nameClaim|emailClaim|limits|backends|key|wake|tcpPort)$/;

function isRare(field: Node): boolean {
  return !field.required && RARE.test(field.name);
}
