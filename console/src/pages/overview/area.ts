import { lazy } from "react";
import type { Area } from "~/shell/areas";

export const area: Area = {
  entries: [
    {
      label: "Overview",
      to: "overview",
      icon: "overview",
      order: 10,
      words: "home start what runs costs budget alerts",
    },
  ],
  routes: [{ path: "overview", page: lazy(() => import("./OverviewPage")) }],
};
