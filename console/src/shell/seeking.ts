/** What the palette finds: at once what is known here, then resources by the server's search. */
import { useQueries } from "@tanstack/react-query";
import { capital, collectionPath, type Kind, plural, useCatalogue } from "~/api/catalogue";
import { api } from "~/api/http";
import { useSignedIn } from "~/api/session";
import type { Page } from "~/api/types";
import type { IconName } from "~/parts/Icon";
import { commands, entries } from "./areas";
import { iconOf, useWorkloads } from "./Navigation";
import { useAddress, useScope } from "./scope";

export interface Found {
  key: string;
  label: string;
  note: string;
  icon: IconName;
  to: string;
}

const MOST = 40;

/** `text` is what was typed, `asked` the same once typing paused. */
export function useFound(text: string, asked: string): Found[] {
  const known = useKnown();
  const resources = useResources(asked);
  const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = known.filter(({ words }) => wanted.every((word) => words.includes(word)));
  return [...matches, ...(text ? resources : [])].slice(0, MOST);
}

function useKnown(): (Found & { words: string })[] {
  const session = useSignedIn();
  const catalogue = useCatalogue();
  const { page, list } = useAddress();
  const pages = entries
    .filter((entry) => entry.when?.(session, catalogue) ?? true)
    .map((entry) => ({
      key: `page ${entry.to}`,
      label: entry.label,
      note: "page",
      icon: entry.icon,
      to: page(entry.to),
      words: `${entry.label} ${entry.words ?? ""}`.toLowerCase(),
    }));
  const more = commands
    .filter((command) => command.when?.(session) ?? true)
    .map((command) => ({
      key: `command ${command.label}`,
      label: command.label,
      note: "do",
      icon: command.icon ?? ("right" as const),
      to: page(command.to),
      words: `${command.label} ${command.words ?? ""}`.toLowerCase(),
    }));
  const kinds = catalogue.kinds
    .filter((kind) => kind.parents.length === 0 && kind.ops.includes("list"))
    .map((kind) => ({
      key: `kind ${kind.noun}`,
      label: capital(plural(kind)),
      note: "kind",
      icon: iconOf(kind.noun),
      to: list(kind.noun),
      words: `${plural(kind)} ${kind.noun} ${kind.summary}`.toLowerCase(),
    }));
  return [...pages, ...more, ...kinds];
}

/** Resources of this workspace with these words in their names. */
function useResources(asked: string): Found[] {
  const scope = useScope();
  const catalogue = useCatalogue();
  const { resource } = useAddress();
  const kinds: Kind[] = [...useWorkloads()];
  for (const noun of ["workspace", "user", "invoice"]) {
    const kind = catalogue.find(noun);
    if (kind) kinds.push(kind);
  }
  return useQueries({
    queries: kinds.map((kind) => {
      const path = collectionPath(kind, scope);
      const query = { search: asked, limit: 8 };
      return {
        queryKey: ["list", kind.noun, path, query],
        queryFn: ({ signal }: { signal: AbortSignal }) => api.get<Page>(path, query, signal),
        enabled: asked.length > 1 && (kind.scope !== "workspace" || scope.workspace !== ""),
        retry: false,
      };
    }),
    combine: (results) =>
      results.flatMap(({ data }, index) =>
        (data?.items ?? []).flatMap(({ metadata }): Found[] => {
          const to = resource(metadata.ref);
          if (!to) return [];
          const noun = kinds[index]?.noun ?? "";
          const note = noun.replaceAll("-", " ");
          return [{ key: metadata.ref, label: metadata.name, note, icon: iconOf(noun), to }];
        }),
      ),
  });
}
