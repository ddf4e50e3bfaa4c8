/** A form's state: what stands in it, what is wrong with it, and what of that is shown yet. */
import { useCallback, useMemo, useState } from "react";
import type { CatalogueDocument, Kind } from "~/api/catalogue";
import { asProblem } from "~/api/problem";
import { formOf } from "./build";
import { type Problems, placed, problemsIn } from "./checks";
import { useDraft } from "./drafts";
import { type Draft, type GroupNode, isGroup } from "./node";
import type { FormKind, Schemas } from "./schema";
import { draftOf, type Spec, specOf } from "./values";

export interface FormState {
  form: GroupNode;
  draft: Draft;
  change: (draft: Draft) => void;
  spec: Spec;
  /** All that is wrong before sending. */
  wrong: Problems;
  /** What is shown: of fields that were left, of all after a try, and what the server said. */
  shown: Problems;
  touch: (at: string) => void;
  /** Show all that is wrong; whether there was nothing. */
  ready: () => boolean;
  /** Whether sending was tried. */
  tried: boolean;
}

/** `texts`: what stands in fields at first, by name, as a person would write it. */
export function useForm(
  kind: Kind,
  schemas: CatalogueDocument["schemas"],
  start: Spec | undefined,
  texts: Readonly<Record<string, string>>,
  error: unknown,
): FormState {
  const form = useMemo(() => formOf(kind as FormKind, schemas as Schemas), [kind, schemas]);
  const [draft, setDraft] = useDraft<Draft>("form", () =>
    filled(form, draftOf(form, start), texts),
  );
  const [touched, setTouched] = useState<ReadonlySet<string>>(new Set());
  const [tried, setTried] = useState(false);
  const wrong = useMemo(() => problemsIn(form, draft), [form, draft]);
  const spec = useMemo(() => specOf(form, draft), [form, draft]);
  const [refused, setRefused] = useState<{ error: unknown; draft: Draft }>();
  // What the server said holds for what it was given, until that is changed.
  if (error !== (refused?.error ?? null) && (error ?? null) !== null) setRefused({ error, draft });
  const said = refused?.draft === draft && error ? heard(form, error) : NONE;
  const shown = useMemo(() => {
    const own = [...wrong].filter(([at]) => tried || touched.has(at));
    return new Map([...said, ...own]);
  }, [wrong, said, tried, touched]);
  const touch = useCallback((at: string) => setTouched((old) => new Set([...old, at])), []);
  const ready = (): boolean => {
    setTried(true);
    return wrong.size === 0;
  };
  return { form, draft, change: setDraft, spec, wrong, shown, touch, ready, tried };
}

const NONE: Problems = new Map();
const remembered = new WeakMap<object, Problems>();

/** The server's words at their fields; the same map for the same error. */
function heard(form: GroupNode, error: unknown): Problems {
  const problem = asProblem(error);
  const known = remembered.get(problem);
  if (known) return known;
  const { at } = placed(form, problem.detail, problem.sources);
  remembered.set(problem, at);
  return at;
}

function filled(form: GroupNode, draft: Draft, texts: Readonly<Record<string, string>>): Draft {
  if (!isGroup(draft)) return draft;
  const given = form.fields.flatMap((field): [string, Draft][] => {
    const text = texts[field.name];
    if (text === undefined || ["group", "list", "map", "json"].includes(field.kind)) return [];
    return [[field.name, field.kind === "switch" ? text === "true" : text]];
  });
  return { ...draft, ...Object.fromEntries(given) };
}
