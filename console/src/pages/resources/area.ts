import { lazy } from "react";
import type { Area } from "~/shell/areas";

export const area: Area = {
  routes: [
    { path: "kinds", page: lazy(() => import("./KindsPage")) },
    { path: "kinds/:noun", page: lazy(() => import("./ListPage")) },
    { path: "kinds/:noun/*", page: lazy(() => import("./ResourcePage")) },
  ],
  tabs: [
    {
      id: "history",
      label: "History",
      order: 70,
      when: (kind) => kind.history,
      content: lazy(() => import("./HistoryTab")),
    },
    {
      id: "document",
      label: "Document",
      order: 90,
      when: () => true,
      content: lazy(() => import("./DocumentTab")),
    },
  ],
};
