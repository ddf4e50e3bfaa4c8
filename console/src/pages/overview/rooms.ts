/** What an overview asks for, kept fresh as things happen. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { useHappenings } from "~/api/live";
import { useRoom } from "~/api/queries";
import { useScope } from "~/shell/scope";

export const SERIES = "/providers/skerry.series/v1";

export interface TopItem {
  kind: string;
  name: string;
  ref: string;
  tasks: number;
  at: string[];
  uses: Record<string, number>;
  cost?: { currency: string; amountNano: number | bigint; perHourNano?: number | bigint };
}

export interface Alert {
  metadata: { name: string; ref: string };
  spec: { subject: string; reason: string };
  status: { phase: string; message: string; remedy: string; raisedAt: string };
}

/** What runs in the workspace. */
export function useTop() {
  const { tenant, workspace } = useScope();
  const path = `${SERIES}/tenants/${encodeURIComponent(tenant)}/workspaces/${encodeURIComponent(workspace)}/top`;
  useAgain(path);
  return {
    path,
    found: useRoom<{ items: TopItem[] }>(path, {}, { enabled: workspace !== "", refresh: 15 }),
  };
}

/** Alerts of the tenant, or (no tenant) of the whole cloud. */
export function useAlerts(tenant = "", enabled = true) {
  const path = `${SERIES}${tenant ? `/tenants/${encodeURIComponent(tenant)}` : ""}/alerts`;
  useAgain(path);
  return useRoom<{ items: Alert[] }>(path, {}, { refresh: 15, enabled });
}

/** Ask again soon after anything happened: rooms are of no kind, so the feed does not name them. */
function useAgain(path: string): void {
  const client = useQueryClient();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useHappenings(() => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      void client.invalidateQueries({ queryKey: ["room", path] });
    }, 400);
  });
  useEffect(() => () => clearTimeout(timer.current), []);
}
