/** The pages of billing, side by side. */
import { NavLink } from "react-router";
import { useSignedIn } from "~/api/session";
import { toChosen } from "~/parts/chosen";
import { useAddress } from "~/shell/scope";
import classes from "./Sections.module.css";

const SECTIONS = [
  { to: "billing", label: "Spending" },
  { to: "billing/invoices", label: "Invoices" },
  { to: "billing/prices", label: "Prices" },
  { to: "billing/terms", label: "Terms and credit" },
  { to: "billing/revenue", label: "All tenants", operator: true },
];

export function Sections() {
  const { page } = useAddress();
  const { operator } = useSignedIn();
  return (
    <nav className={`scrolls ${classes.sections}`} aria-label="Billing" ref={toChosen}>
      {SECTIONS.filter((one) => !one.operator || operator).map(({ to, label }) => (
        <NavLink key={to} to={page(to)} end className={classes.section}>
          {label}
        </NavLink>
      ))}
    </nav>
  );
}
