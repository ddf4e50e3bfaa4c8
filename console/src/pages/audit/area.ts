import { lazy } from "react";
import type { Area } from "~/shell/areas";

export const area: Area = {
  entries: [
    {
      label: "Audit",
      to: "audit",
      icon: "audit",
      order: 60,
      words: "log history events proof who did what",
    },
  ],
  routes: [
    { path: "audit", page: lazy(() => import("./AuditPage")) },
    { path: "audit/:position", page: lazy(() => import("./EventPage")) },
  ],
};
