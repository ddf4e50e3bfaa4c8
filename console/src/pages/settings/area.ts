import { lazy } from "react";
import type { Area } from "~/shell/areas";

export const area: Area = {
  entries: [
    {
      label: "Settings",
      to: "settings",
      icon: "settings",
      order: 80,
      words: "dark light theme policies quotas webhooks notices command line version",
    },
  ],
  routes: [{ path: "settings", page: lazy(() => import("./SettingsPage")) }],
};
