/**
 * The live quote of what stands in a form: one quote, put again whenever the form says something
 * else. It takes nothing; accepting it creates what was quoted, at that price.
 */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import {
  type Catalogue,
  collectionPath,
  type Kind,
  type Scope,
  useCatalogue,
} from "~/api/catalogue";
import { api } from "~/api/http";
import { toJson } from "~/api/json";
import { sessionToken } from "~/api/session";
import type { Document } from "~/api/types";
import type { GroupNode } from "~/forms/node";
import type { Spec } from "~/forms/values";
import type { Decision, Line, Place } from "~/market/decision";

/** Milliseconds of rest before a change is quoted: each quote is a decision on record. */
const PAUSE = 650;
/** Milliseconds before its end that a price is asked for anew. */
const EARLY = 5000;

export interface QuoteStatus {
  phase: string;
  place?: Place | null;
  currency?: string;
  pricePerHourNano?: number | bigint | null;
  mostNano?: number | bigint | null;
  lines?: Line[];
  validUntil?: string | null;
  policy?: string;
  agreed?: string[];
  message?: string;
  hint?: string;
  considered?: number;
  refused?: Record<string, number>;
  nearest?: { offer: string; jurisdiction?: string; why: string[] }[];
}

export interface Quoted {
  status: QuoteStatus;
  decision: Decision;
}

export interface LiveQuote {
  /** What is known of the spec that stands in the form now, or of the last one that did. */
  quoted: Quoted | undefined;
  error: unknown;
  /** Whether what is shown is of what stands in the form. */
  current: boolean;
  /** Whether it soon will be. */
  coming: boolean;
  /** Whether things of this kind have a price at all. */
  priced: boolean;
  /** Of how many of these the price is: a service has replicas, each placed by itself. */
  times: number;
  /** Whether accepting it creates what was quoted. */
  accepts: boolean;
  /** The quote's path in the API. */
  path: string;
  name: string;
  again: () => void;
}

/** `enabled`: whether the form says something that can be quoted. */
export function useQuote(
  kind: Kind,
  scope: Scope,
  form: GroupNode,
  spec: Spec,
  enabled: boolean,
): LiveQuote {
  const catalogue = useCatalogue();
  const quotes = catalogue.find("quote");
  const as = quotedAs(catalogue, kind);
  const [name] = useState(() => `console-${crypto.randomUUID().slice(0, 8)}`);
  const open = useMemo(
    () => partOf(withoutSecrets(form, spec), as === kind ? undefined : as, catalogue),
    [form, spec, as, kind, catalogue],
  );
  const settled = useSettled(toJson(open), PAUSE);
  const path = quotes ? `${collectionPath(quotes, scope)}/${name}` : "";
  const asked = enabled && as !== undefined && path !== "" && scope.workspace !== "";
  const made = useRef(false);
  const found = useQuery<Quoted>({
    queryKey: ["quoting", path, as?.noun, settled],
    enabled: asked,
    retry: false,
    gcTime: 0,
    refetchInterval: ({ state }) => leftOf(state.data),
    queryFn: async ({ signal }): Promise<Quoted> => {
      made.current = true;
      const body = { spec: { kind: as?.noun, spec: JSON.parse(settled) as Spec } };
      const put = await api.put<Document>(path, body);
      const decision = await api.get<Decision>(`${path}/decision`, {}, signal);
      return { status: put.status as unknown as QuoteStatus, decision };
    },
    placeholderData: (last) => last,
  });
  useEffect(() => {
    const end = (): void => {
      if (made.current) void leave(path);
    };
    const hide = (event: PageTransitionEvent): void => {
      // One that may come back keeps its quote.
      if (!event.persisted) end();
    };
    window.addEventListener("pagehide", hide);
    return () => {
      window.removeEventListener("pagehide", hide);
      end();
    };
  }, [path]);
  const current =
    asked && !found.isPlaceholderData && !found.isFetching && settled === toJson(open);
  return {
    quoted: asked ? found.data : undefined,
    error: found.error,
    current,
    coming: asked && !current && !found.error,
    priced: as !== undefined,
    times: as === kind || typeof spec.replicas !== "number" ? 1 : spec.replicas,
    accepts: as === kind,
    path,
    name,
    again: () => void found.refetch(),
  };
}

/** The price of an hour of all of it, if there is one. */
export function priceOf({ quoted, times }: LiveQuote): bigint | undefined {
  const price = quoted?.status.pricePerHourNano;
  return price === undefined || price === null ? undefined : BigInt(price) * BigInt(times);
}

/** As what the market prices it: a service is its replicas, and each of them a pod. */
function quotedAs(catalogue: Catalogue, kind: Kind): Kind | undefined {
  if (kind.quotable) return kind;
  const pod = kind.noun === "service" ? catalogue.find("pod") : undefined;
  return pod?.quotable ? pod : undefined;
}

/** What of a spec another kind has as well; all of it where there is no other. */
function partOf(spec: Spec, other: Kind | undefined, catalogue: Catalogue): Spec {
  if (!other) return spec;
  const known = catalogue.resolve(other.spec).properties ?? {};
  return Object.fromEntries(Object.entries(spec).filter(([name]) => name in known));
}

/** Nobody else knows this quote, so it goes with the page. It would end by itself, too. */
async function leave(path: string): Promise<void> {
  try {
    const headers = { authorization: `Bearer ${sessionToken()}` };
    await fetch(path, { method: "DELETE", headers, keepalive: true, credentials: "omit" });
  } catch {
    // Then it ends by itself.
  }
}

/** Milliseconds until a price is asked for anew; a refusal stands until the form says otherwise. */
function leftOf(quoted: Quoted | undefined): number | false {
  const until = Date.parse(quoted?.status.validUntil ?? "");
  return Number.isNaN(until) ? false : Math.max(EARLY, until - Date.now() - EARLY);
}

/** A quote is read by many and holds no secret. */
export function withoutSecrets(form: GroupNode, spec: Spec): Spec {
  const secret = new Set(form.fields.filter((field) => field.secret).map((field) => field.name));
  return Object.fromEntries(Object.entries(spec).filter(([name]) => !secret.has(name)));
}

/** The secret fields of a spec alone. */
export function secretsOf(form: GroupNode, spec: Spec): Spec {
  const secret = new Set(form.fields.filter((field) => field.secret).map((field) => field.name));
  return Object.fromEntries(Object.entries(spec).filter(([name]) => secret.has(name)));
}

/** A text, once it has not changed for a while. */
function useSettled(text: string, pause: number): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), pause);
    return () => clearTimeout(timer);
  }, [text, pause]);
  return settled;
}
