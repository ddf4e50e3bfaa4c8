/** Whether something of a resource runs just now, so that a shell can be opened in it. */
import type { Document } from "~/api/types";

const RUNS = new Set(["running", "rolling", "degraded", "draining", "updating"]);

export function runsNow({ status }: Document): boolean {
  // A service says how many of it are ready; one that rolls or fails to has some as a rule.
  const ready = typeof status?.ready === "number" ? status.ready > 0 : status?.ready === true;
  return ready || RUNS.has(String(status?.phase ?? ""));
}
