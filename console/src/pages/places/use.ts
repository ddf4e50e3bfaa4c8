/** What sites tell of how busy they are. */
import { useQueries } from "@tanstack/react-query";
import { useCatalogue } from "~/api/catalogue";
import { api } from "~/api/http";
import type { Document } from "~/api/types";
import { type Measured, type Told, together } from "./shares";

/** Only the operator may ask. `from`: `-1h`, `-1d`. */
export function useUse(sites: readonly string[], from: string) {
  const kind = useCatalogue().kind("site");
  const found = useQueries({
    queries: sites.map((site) => ({
      queryKey: ["room", "use", site, from],
      refetchInterval: 15_000,
      queryFn: async ({ signal }: { signal: AbortSignal }): Promise<Measured> => {
        const path = `/providers/${kind.provider}/${kind.version}/sites/${encodeURIComponent(site)}`;
        const [told, document] = await Promise.all([
          api.get<Told>(`${path}/metrics`, { from, series: "cpu,memory,gpu" }, signal),
          api.get<Document>(path, {}, signal),
        ]);
        return { told, has: capacityOf(document) };
      },
    })),
  });
  return {
    chart: together(found.flatMap(({ data }) => (data ? [data] : []))),
    error: found.find(({ error }) => error)?.error ?? null,
  };
}

function capacityOf({ status }: Document): Measured["has"] {
  const told = (status?.capacity ?? {}) as Record<string, unknown>;
  const count = (value: unknown): number => (typeof value === "number" ? value : 0);
  return {
    millicores: count(told.millicores),
    memory: count(told.memory),
    gpus: Array.isArray(told.gpus) ? told.gpus.length : 0,
  };
}
