/** The areas, and under workloads the kinds that a workspace holds. */
import { NavLink as MantineLink, ScrollArea, Stack, Text } from "@mantine/core";
import { Link, useLocation } from "react-router";
import { capital, type Kind, plural, useCatalogue } from "~/api/catalogue";
import { useSignedIn } from "~/api/session";
import { Icon, type IconName } from "~/parts/Icon";
import { entries, lists } from "./areas";
import classes from "./Navigation.module.css";
import { useAddress } from "./scope";

/** Kinds of a workspace that other resources make: found from those, and by search. */
const MADE_BY_OTHERS = new Set(["lease", "quote"]);

/** Those that people look for most, first; kinds that are not named here follow. */
const USED_MOST: readonly (readonly [noun: string, icon: IconName])[] = [
  ["job", "play"],
  ["service", "layers"],
  ["notebook", "book"],
  ["pod", "workloads"],
  ["volume", "disk"],
  ["schedule", "clock"],
  ["route", "link"],
  ["secret", "key"],
];
const ICONS = new Map(USED_MOST);

/** A kind's pictogram. */
export function iconOf(noun: string): IconName {
  return ICONS.get(noun) ?? "workloads";
}

function rank(kind: Kind): number {
  const found = USED_MOST.findIndex(([noun]) => noun === kind.noun);
  return found < 0 ? USED_MOST.length : found;
}

/** The kinds that stand in the navigation. */
export function useWorkloads(): Kind[] {
  const catalogue = useCatalogue();
  return catalogue.kinds
    .filter((kind) => kind.scope === "workspace" && kind.parents.length === 0)
    .filter((kind) => !MADE_BY_OTHERS.has(kind.noun) && lists[kind.noun] === undefined)
    .sort((one, other) => rank(one) - rank(other));
}

export function Navigation({ onLeave }: { onLeave: () => void }) {
  const session = useSignedIn();
  const catalogue = useCatalogue();
  const { page, list } = useAddress();
  const workloads = useWorkloads();
  const shown = entries.filter((entry) => entry.when?.(session, catalogue) ?? true);
  const item = (label: string, to: string, icon: IconName): React.ReactNode => (
    <Entry key={to} label={label} to={to} icon={icon} onLeave={onLeave} />
  );
  return (
    <ScrollArea type="hover" p="xs">
      <Stack gap={2}>
        {shown.filter((e) => e.order < 30).map((e) => item(e.label, page(e.to), e.icon))}
        <Text className={classes.group} component="h2">
          Workloads
        </Text>
        {workloads.map((kind) => item(capital(plural(kind)), list(kind.noun), iconOf(kind.noun)))}
        <Text className={classes.group} component="h2">
          Cloud
        </Text>
        {shown.filter((e) => e.order >= 30).map((e) => item(e.label, page(e.to), e.icon))}
        {item("All kinds", page("kinds"), "columns")}
      </Stack>
    </ScrollArea>
  );
}

interface EntryProps {
  label: string;
  to: string;
  icon: IconName;
  onLeave: () => void;
}

function Entry({ label, to, icon, onLeave }: EntryProps) {
  const { pathname } = useLocation();
  const exact = to.endsWith("/kinds");
  const active = pathname === to || (!exact && pathname.startsWith(`${to}/`));
  return (
    <MantineLink
      component={Link}
      to={to}
      label={label}
      active={active}
      aria-current={active ? "page" : undefined}
      leftSection={<Icon name={icon} size={17} />}
      className={classes.entry}
      onClick={onLeave}
    />
  );
}
