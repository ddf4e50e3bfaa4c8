/**
 * What areas add to the console. Each folder below `pages/` has an `area.ts` that exports `area`;
 * they are found by their place, so no list is edited when one is added.
 */
import type { ComponentType, LazyExoticComponent } from "react";
import type { Catalogue, Kind } from "~/api/catalogue";
import type { Session } from "~/api/session";
import type { Document } from "~/api/types";
import type { IconName } from "~/parts/Icon";

type Lazy<P = object> = LazyExoticComponent<ComponentType<P>>;

export interface Entry {
  label: string;
  /** Below tenant and workspace: `billing`. */
  to: string;
  icon: IconName;
  /** From the top: overview 10, create 20, workloads 30, places 40, billing 50, audit 60,
   *  people 70, settings 80. */
  order: number;
  /** Other words by which the palette finds it. */
  words?: string;
  /** Whether it is there for this person and this cloud; it is if nothing is said. */
  when?: (session: Session, catalogue: Catalogue) => boolean;
}

export interface AreaRoute {
  /** Below tenant and workspace, in React Router's form: `billing/invoices/:name`. */
  path: string;
  page: Lazy;
}

export interface TabProps {
  kind: Kind;
  /** As it is now; it changes while it is shown. */
  resource: Document;
}

export interface Tab {
  /** Its part of the address: `?tab=logs`. */
  id: string;
  label: string;
  /** From the left: summary 0, change 55, history 70, document 90; yours between. */
  order: number;
  when: (kind: Kind, resource: Document) => boolean;
  content: Lazy<TabProps>;
  /** Whether it ends with an `<Equivalent>` of its own; the page shows its own if not. */
  equivalent?: boolean;
}

/** A part of a resource's summary: cost, place, a card of its own. */
export interface Card {
  id: string;
  order: number;
  when: (kind: Kind, resource: Document) => boolean;
  content: Lazy<TabProps>;
  /** Whether it takes the whole width. */
  wide?: boolean;
}

/** What the palette offers beside pages and resources. */
export interface Command {
  label: string;
  words?: string;
  icon?: IconName;
  /** A page below tenant and workspace. */
  to: string;
  when?: (session: Session) => boolean;
}

export interface Area {
  entries?: Entry[];
  routes?: AreaRoute[];
  tabs?: Tab[];
  cards?: Card[];
  commands?: Command[];
  /** Kinds whose list is a page of the area's own: `{ site: "places" }`. */
  lists?: Record<string, string>;
}

const modules = import.meta.glob<{ area: Area }>("../pages/*/area.ts", { eager: true });
const areas: readonly Area[] = Object.values(modules).map((module) => module.area);

const byOrder = <T extends { order: number }>(found: T[]): T[] =>
  found.sort((one, other) => one.order - other.order);

export const entries = byOrder(areas.flatMap((area) => area.entries ?? []));
export const routes = areas.flatMap((area) => area.routes ?? []);
export const tabs = byOrder(areas.flatMap((area) => area.tabs ?? []));
export const cards = byOrder(areas.flatMap((area) => area.cards ?? []));
export const commands = areas.flatMap((area) => area.commands ?? []);
export const lists: Readonly<Record<string, string>> = Object.assign(
  {},
  ...areas.map((area) => area.lists ?? {}),
);
