/** How busy the machines are, of all sites or of one. Only the operator may ask. */
import { useMemo } from "react";
import { useRoom } from "~/api/queries";
import { chartOf, type Utilisation } from "./shares";

/** `from`: `-1h`, `-1d`. */
export function useUse(from: string, site?: string) {
  const path = "/providers/skerry.series/v1/utilisation";
  const { data, error } = useRoom<Utilisation>(path, { from }, { refresh: 15 });
  return {
    chart: useMemo(() => chartOf(data, site), [data, site]),
    known: data !== undefined,
    error,
  };
}
