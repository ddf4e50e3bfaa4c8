/**
 * What pages ask for, as queries. Keys begin with what the live feed refreshes by:
 * `["list", noun, path, …]`, `["resource", ref]`, `["view", noun, ref, view, …]`, and
 * `["room", name, …]` for what is of no kind.
 */
import {
  keepPreviousData,
  type QueryClient,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { useCallback } from "react";
import { collectionPath, type Kind, resourcePath, type Scope } from "./catalogue";
import { api, type Query } from "./http";
import type { Document, Page } from "./types";

export interface Asked {
  /** A part of a name or label. */
  search?: string;
  /** One of these states or phases, with commas between them. */
  state?: string;
  phase?: string;
  /** `name`, `created`, `modified` or `state`; with `-` before it, the other way round. */
  sort?: string;
  /** Have the page tell how many there are in all. */
  count?: boolean;
  /** Labels, as `tier=web,env!=test`. */
  labels?: string;
  limit?: number;
  skipToken?: string;
  [filter: string]: string | number | boolean | undefined;
}

/** A resource's reference (`metadata.ref`) from its path in the API. */
export function refOf(path: string): string {
  return decodeURIComponent(path.replace(/^\/providers\//, ""));
}

/** A resource's path in the API from its reference. */
export function pathOf(ref: string): string {
  return `/providers/${ref.split("/").map(encodeURIComponent).join("/")}`;
}

/** One page of a kind's resources, searched and sorted by the server. */
export function useList<T = Document>(
  kind: Kind,
  scope: Scope,
  asked: Asked = {},
  parents: readonly string[] = [],
  enabled = true,
) {
  const path = collectionPath(kind, scope, parents);
  return useQuery({
    queryKey: ["list", kind.noun, path, asked],
    queryFn: ({ signal }) => api.get<Page<T>>(path, asked, signal),
    placeholderData: keepPreviousData,
    enabled: enabled && (kind.scope !== "workspace" || scope.workspace !== ""),
  });
}

/** One resource. `names`: those of what it lives below, then its own. */
export function useResource<T = Document>(kind: Kind, scope: Scope, names: readonly string[]) {
  const path = resourcePath(kind, scope, names);
  return useQuery({
    queryKey: ["resource", refOf(path)],
    queryFn: ({ signal }) => api.get<T>(path, {}, signal),
  });
}

/** A view of a resource: `cost`, `decision`, `metrics`, … `refresh`: again after so many seconds. */
export function useView<T>(
  kind: Kind,
  ref: string,
  view: string,
  query: Query = {},
  options: { enabled?: boolean; refresh?: number } = {},
) {
  return useQuery({
    queryKey: ["view", kind.noun, ref, view, query],
    queryFn: ({ signal }) => api.get<T>(`${pathOf(ref)}/${view}`, query, signal),
    placeholderData: keepPreviousData,
    enabled: options.enabled ?? true,
    refetchInterval: options.refresh ? options.refresh * 1000 : false,
  });
}

/** What goes on over many resources: `status`, `top`, `usage`, `alerts`. */
export function useRoom<T>(
  path: string,
  query: Query = {},
  options: { enabled?: boolean; refresh?: number } = {},
) {
  return useQuery({
    queryKey: ["room", path, query],
    queryFn: ({ signal }) => api.get<T>(path, query, signal),
    placeholderData: keepPreviousData,
    enabled: options.enabled ?? true,
    refetchInterval: options.refresh ? options.refresh * 1000 : false,
  });
}

/** Refresh all that may have changed with a resource, or (no ref) with any of a kind. */
export function useRefresh(): (noun: string, ref?: string) => void {
  const client = useQueryClient();
  return useCallback((noun, ref) => refresh(client, noun, ref), [client]);
}

export function refresh(client: QueryClient, noun: string, ref?: string): void {
  void client.invalidateQueries({ queryKey: ["list", noun] });
  if (ref === undefined) {
    void client.invalidateQueries({ queryKey: ["resource"] });
    return;
  }
  void client.invalidateQueries({ queryKey: ["resource", ref] });
  void client.invalidateQueries({ queryKey: ["view", noun, ref] });
}

/** An action of a resource: `run.mutate({ name, body })`. */
export function useAct(kind: Kind, ref: string) {
  const again = useRefresh();
  return useMutation({
    mutationFn: ({ name, body }: { name: string; body?: unknown }) =>
      api.post<unknown>(`${pathOf(ref)}/${name}`, body),
    onSettled: () => again(kind.noun, ref),
  });
}

/** Put a resource. `version`: only if it is still at it. */
export function usePut(kind: Kind) {
  const again = useRefresh();
  return useMutation({
    mutationFn: ({ ref, body, version }: { ref: string; body: unknown; version?: number }) =>
      api.put<Document>(pathOf(ref), body, version),
    onSettled: (_made, _error, { ref }) => again(kind.noun, ref),
  });
}

/** Delete a resource. */
export function useDelete(kind: Kind) {
  const again = useRefresh();
  return useMutation({
    mutationFn: (ref: string) => api.delete(pathOf(ref)),
    onSettled: (_none, _error, ref) => again(kind.noun, ref),
  });
}
