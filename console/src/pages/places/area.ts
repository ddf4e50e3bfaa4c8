import { lazy } from "react";
import type { Area } from "~/shell/areas";

export const area: Area = {
  entries: [
    {
      label: "Places",
      to: "places",
      icon: "places",
      order: 40,
      words: "sites hosts machines map capacity room prices",
    },
  ],
  routes: [
    { path: "places", page: lazy(() => import("./PlacesPage")) },
    { path: "places/:site", page: lazy(() => import("./PlacePage")) },
  ],
  lists: { site: "places" },
};
