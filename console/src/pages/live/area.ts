import { lazy } from "react";
import type { Kind } from "~/api/catalogue";
import type { Document } from "~/api/types";
import type { Area } from "~/shell/areas";

const has = (kind: Kind, view: string): boolean => kind.views.some(({ name }) => name === view);
const placed = ({ status }: Document): boolean => Boolean(status?.place ?? status?.decision);

/** What is live of a resource: its log, what it uses and costs, a shell, why it is where it is. */
export const area: Area = {
  tabs: [
    {
      id: "logs",
      label: "Logs",
      order: 10,
      when: (kind) => has(kind, "logs"),
      equivalent: true,
      content: lazy(() => import("./LogsTab")),
    },
    {
      id: "terminal",
      label: "Terminal",
      order: 15,
      when: (kind) => kind.channels.some(({ name }) => name === "exec"),
      equivalent: true,
      content: lazy(() => import("./TerminalTab")),
    },
    {
      id: "metrics",
      label: "Metrics",
      order: 20,
      when: (kind) => has(kind, "metrics"),
      equivalent: true,
      content: lazy(() => import("./MetricsTab")),
    },
    {
      id: "placement",
      label: "Placement",
      order: 30,
      when: (kind, resource) => has(kind, "decision") && (kind.quotable || placed(resource)),
      equivalent: true,
      content: lazy(() => import("./PlacementTab")),
    },
    {
      id: "files",
      label: "Files",
      order: 40,
      when: (kind) => has(kind, "files"),
      equivalent: true,
      content: lazy(() => import("./FilesTab")),
    },
    {
      id: "receipt",
      label: "Receipt",
      order: 50,
      when: (kind) => has(kind, "receipt"),
      equivalent: true,
      content: lazy(() => import("./ReceiptTab")),
    },
    {
      id: "events",
      label: "Events",
      order: 65,
      when: (kind) => kind.scope !== "global",
      equivalent: true,
      content: lazy(() => import("./EventsTab")),
    },
  ],
  cards: [
    {
      id: "quick",
      order: 5,
      when: (kind) => ["service", "notebook", "volume", "route", "pod"].includes(kind.noun),
      content: lazy(() => import("./QuickCard")),
    },
    {
      id: "cost",
      order: 10,
      when: (kind) => has(kind, "cost"),
      content: lazy(() => import("./CostCard")),
    },
  ],
};
