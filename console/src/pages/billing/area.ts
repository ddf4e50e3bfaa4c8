import { lazy } from "react";
import type { Area } from "~/shell/areas";

export const area: Area = {
  entries: [
    {
      label: "Billing",
      to: "billing",
      icon: "billing",
      order: 50,
      words: "cost money invoices budgets usage prices spending",
    },
  ],
  routes: [
    { path: "billing", page: lazy(() => import("./BillingPage")) },
    { path: "billing/invoices", page: lazy(() => import("./InvoicesPage")) },
    { path: "billing/prices", page: lazy(() => import("./PricesPage")) },
    { path: "billing/terms", page: lazy(() => import("./TermsPage")) },
    { path: "billing/revenue", page: lazy(() => import("./RevenuePage")) },
    { path: "kinds/invoice/:name", page: lazy(() => import("./InvoicePage")) },
  ],
  lists: { invoice: "billing/invoices", budget: "billing", "price-list": "billing/prices" },
  commands: [
    { label: "Create a budget", words: "limit spending", icon: "create", to: "create/budget" },
    { label: "Redeem a voucher", words: "code credit", icon: "key", to: "create/redemption" },
  ],
};
