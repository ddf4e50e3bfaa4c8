/** A value of a resource as it stands in a table or a list of facts; its name tells the form. */
import { Anchor } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "react-router";
import type { Column, Kind } from "~/api/catalogue";
import type { Document } from "~/api/types";
import { useAddress } from "~/shell/scope";
import { at, currencyNear, isEmpty, isMoney, isTime, type Nano, scalar } from "./formats";
import { StateBadge } from "./StateBadge";
import { Ago, Money } from "./Values";

const STATES = new Set(["state", "phase"]);
/** Numbers whose name tells the unit. */
const SCALED =
  /^(memory|size|disk|bytes|millicores|free(Memory|Disk|Millicores)|timeLimit|ttl)$|(Bytes|Seconds)$/;

/** The columns of a kind's list, as the command line has them: name first, age last. */
export function columnsOf(kind: Kind, wide = false): Column[] {
  const own = kind.columns.filter((column) => wide || !column.wide);
  const state = { title: "STATE", path: "status.state", wide: false };
  const age = { title: "AGE", path: "metadata.createdAt", wide: false };
  const mine = own.length === 0 && kind.history ? [state] : own;
  const last = kind.history && !mine.some((column) => column.path === age.path) ? [age] : [];
  return [...mine, ...last].filter((column) => column.path !== "metadata.name");
}

/** One value of a resource. */
export function Cell({ document, path }: { document: Document; path: string }): ReactNode {
  const value = at(document, path);
  const name = path.slice(path.lastIndexOf(".") + 1);
  return <Value name={name} value={value} currency={currencyNear(document, path)} />;
}

interface ValueProps {
  name: string;
  value: unknown;
  currency?: string;
}

export function Value({ name, value, currency = "" }: ValueProps): ReactNode {
  if (isEmpty(value)) return <span className="none">–</span>;
  if (STATES.has(name) && typeof value === "string") return <StateBadge state={value} />;
  if (isTime(name, value)) return <Ago at={value} />;
  if (isMoney(value))
    return <Money nano={value.amountNano} currency={value.currency ?? currency} />;
  if (name.endsWith("Nano")) return <Money nano={value as Nano} currency={currency} />;
  if (typeof value === "number" && SCALED.test(name)) {
    return <span className="tabular">{scalar(name, value)}</span>;
  }
  if (typeof value === "number" || typeof value === "bigint") {
    return <span className="tabular">{String(value)}</span>;
  }
  if (typeof value === "string" && /^https?:\/\//.test(value)) return <Outside url={value} />;
  if (name === "command") return <span className="mono">{scalar(name, value)}</span>;
  return scalar(name, value, currency);
}

function Outside({ url }: { url: string }) {
  return (
    <Anchor href={url} target="_blank" rel="noreferrer noopener" size="sm">
      {url.replace(/^https?:\/\//, "").replace(/\/$/, "")}
    </Anchor>
  );
}

/** A link to a resource's page by its reference; its name where there is no page. */
export function RefLink({ to, label }: { to: string; label?: string }) {
  const { resource } = useAddress();
  const address = resource(to);
  const text = label ?? to.slice(to.lastIndexOf("/") + 1);
  return address ? (
    <Anchor component={Link} to={address} size="sm">
      {text}
    </Anchor>
  ) : (
    <span>{text}</span>
  );
}
