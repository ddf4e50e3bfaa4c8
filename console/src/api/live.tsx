/** The feed, tied to the cache of queries: what changes in the cloud changes on the page. */
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useEffect, useRef, useState } from "react";
import { collectionPath, type Kind, type Scope } from "./catalogue";
import { Feed, type FeedState, type Happening } from "./feed";
import type { Document, Page } from "./types";

const FeedContext = createContext<FeedState>("connecting");
type Hearer = (event: Happening) => void;
const hearers = new Set<Hearer>();

/** Whether what is shown is live. */
export function useFeedState(): FeedState {
  return useContext(FeedContext);
}

/** Call `hear` for each thing that happens in the tenant. */
export function useHappenings(hear: Hearer): void {
  const kept = useRef(hear);
  kept.current = hear;
  useEffect(() => {
    const hearer: Hearer = (event) => kept.current(event);
    hearers.add(hearer);
    return () => {
      hearers.delete(hearer);
    };
  }, []);
}

/** Keeps a tenant's queries fresh. */
export function Live({ tenant, children }: { tenant: string; children: ReactNode }) {
  const client = useQueryClient();
  const [state, setState] = useState<FeedState>("connecting");
  useEffect(() => {
    const stale = new Stale(client);
    const path = `/providers/skerry.proof/v1/tenants/${encodeURIComponent(tenant)}/events`;
    const feed = new Feed(path, {
      happened: (event) => {
        patch(client, event);
        stale.mark(event);
        for (const hearer of hearers) hearer(event);
      },
      gap: () => void client.invalidateQueries(),
      state: (next) =>
        setState((before) => {
          // What happened while there was no connection comes by the cursor; rooms do not.
          if (before === "lost" && next === "live") {
            void client.invalidateQueries({ queryKey: ["room"] });
          }
          return next;
        }),
    });
    feed.start();
    return () => {
      feed.stop();
      stale.stop();
    };
  }, [client, tenant]);
  return <FeedContext value={state}>{children}</FeedContext>;
}

/** A feed of one collection of the whole cloud (sites, hosts), which no tenant's feed has. */
export function useGlobalFeed(kind: Kind, scope: Scope, parents: readonly string[] = []): void {
  const client = useQueryClient();
  const path = kind.scope === "global" ? collectionPath(kind, scope, parents) : "";
  useEffect(() => {
    if (!path) return;
    const stale = new Stale(client);
    const feed = new Feed(path, {
      happened: (event) => {
        patch(client, event);
        stale.mark(event);
      },
      gap: () => void client.invalidateQueries({ queryKey: ["list"] }),
      state: () => undefined,
    });
    feed.start();
    return () => {
      feed.stop();
      stale.stop();
    };
  }, [client, path]);
}

/** Show what an event tells at once, in the lists that have the resource. */
function patch(client: QueryClient, event: Happening): void {
  const fresh = event.resource;
  if (!fresh) return;
  client.setQueriesData<Page>({ queryKey: ["list", event.kind] }, (page) => {
    const index = page?.items?.findIndex((item) => item.metadata?.ref === event.ref) ?? -1;
    const old = page?.items[index];
    if (!page || !old) return page;
    if (old.metadata.resourceVersion > fresh.metadata.resourceVersion) return page;
    return { ...page, items: page.items.with(index, merged(old, fresh)) };
  });
}

/** An event has not what is made up at reading (a balance, what was spent): that stays as it was
 *  until it is read again. */
function merged(old: Document, fresh: Document): Document {
  return { ...fresh, status: { ...old.status, ...fresh.status } };
}

/** What is to be asked for again: at once where it is one thing, gathered where there are many. */
class Stale {
  private readonly lists = new Set<string>();
  private readonly refs = new Map<string, string>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly client: QueryClient) {}

  mark(event: Happening): void {
    this.lists.add(event.kind);
    this.refs.set(event.ref, event.kind);
    this.timer ??= setTimeout(this.flush, 300);
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private readonly flush = (): void => {
    this.timer = undefined;
    for (const noun of this.lists) {
      void this.client.invalidateQueries({ queryKey: ["list", noun] });
    }
    for (const [ref, noun] of this.refs) {
      void this.client.invalidateQueries({ queryKey: ["resource", ref] });
      void this.client.invalidateQueries({ queryKey: ["view", noun, ref] });
    }
    this.lists.clear();
    this.refs.clear();
  };
}
