/** Creating what stands in a form: by accepting its quote where there is one, else as it is. */
import { useMutation } from "@tanstack/react-query";
import { type Kind, namesIn, resourcePath, type Scope } from "~/api/catalogue";
import { api } from "~/api/http";
import { asProblem, Problem } from "~/api/problem";
import { useRefresh } from "~/api/queries";
import type { Document } from "~/api/types";
import type { GroupNode } from "~/forms/node";
import type { Spec } from "~/forms/values";
import { type LiveQuote, secretsOf } from "./useQuote";

export interface Wish {
  names: readonly string[];
  spec: Spec;
  labels: Record<string, string>;
}

export interface Made {
  names: readonly string[];
  /** What is shown this one time: a token, a password. */
  once: Record<string, string>;
}

export function useMaking(kind: Kind, scope: Scope, form: GroupNode, quote: LiveQuote) {
  const again = useRefresh();
  return useMutation({
    mutationFn: async (wish: Wish): Promise<Made> => {
      const path = resourcePath(kind, scope, wish.names);
      if (kind.ops.includes("get")) await mustBeNew(kind, path, wish.names.at(-1) ?? "");
      if (quote.accepts && quote.current && quote.quoted?.status.phase === "offered") {
        return await accepted(kind, form, quote, wish);
      }
      const made = await api.put<Document>(path, { labels: wish.labels, spec: wish.spec });
      return { names: wish.names, once: onceOf(made) };
    },
    onSuccess: () => again(kind.noun),
  });
}

async function accepted(kind: Kind, form: GroupNode, quote: LiveQuote, wish: Wish): Promise<Made> {
  const answer = await api.post<{ created: string }>(`${quote.path}/accept`, {
    name: wish.names.at(-1),
    labels: wish.labels,
    secrets: secretsOf(form, wish.spec),
  });
  return { names: namesIn(kind, answer.created), once: {} };
}

/** A PUT would change what is there: that is done on its own page, knowingly. */
async function mustBeNew(kind: Kind, path: string, name: string): Promise<void> {
  try {
    await api.get(path);
  } catch (error) {
    if (asProblem(error).status === 404) return;
    throw error;
  }
  throw new Problem({
    status: 409,
    title: "There is one already",
    detail: `The ${kind.noun} ${name} exists already.`,
    hint: "Choose another name, or change that one on its page.",
    sources: [{ pointer: "/metadata/name" }],
  });
}

function onceOf(made: Document): Record<string, string> {
  const shown = ["token", "secret", "password", "link", "code"];
  return Object.fromEntries(
    Object.entries(made.status ?? {}).filter(
      (entry): entry is [string, string] =>
        shown.includes(entry[0]) && typeof entry[1] === "string",
    ),
  );
}
