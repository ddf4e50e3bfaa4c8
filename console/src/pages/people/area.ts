import { lazy } from "react";
import type { Area } from "~/shell/areas";

export const area: Area = {
  entries: [
    {
      label: "People and access",
      to: "people",
      icon: "people",
      order: 70,
      words: "users members invitations roles tokens service accounts auditors issuers sessions",
    },
  ],
  routes: [{ path: "people", page: lazy(() => import("./PeoplePage")) }],
  commands: [
    { label: "Invite somebody", to: "people?tab=members&do=invite", icon: "people" },
    { label: "My sessions and second factor", to: "people?tab=mine", icon: "key" },
  ],
};
