/** Facts in two columns, one below another where there is little room. */
import type { ReactNode } from "react";
import classes from "./KeyValue.module.css";

export type Fact = readonly [label: string, value: ReactNode];

export function KeyValue({ facts }: { facts: readonly Fact[] }) {
  return (
    <dl className={classes.list}>
      {facts.map(([label, value]) => (
        <div key={label} className={classes.fact}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
