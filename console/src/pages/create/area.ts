import { lazy } from "react";
import type { Area } from "~/shell/areas";

export const area: Area = {
  entries: [
    {
      label: "Create",
      to: "create",
      icon: "create",
      order: 20,
      words: "new gpu job service notebook volume quote price",
    },
  ],
  routes: [
    { path: "create", page: lazy(() => import("./ChoosePage")) },
    { path: "create/:noun", page: lazy(() => import("./CreatePage")) },
  ],
  tabs: [
    {
      id: "change",
      label: "Change",
      order: 55,
      when: (kind) => kind.ops.includes("put") && kind.noun !== "quote",
      equivalent: true,
      content: lazy(() => import("./ChangeTab")),
    },
  ],
};
