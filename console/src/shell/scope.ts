/** Where one is: the address holds tenant and workspace, so a link means the same to everybody. */
import { useCallback } from "react";
import { useParams } from "react-router";
import { type Catalogue, namesIn, type Scope, useCatalogue } from "~/api/catalogue";
import { lists } from "./areas";

/** Stands in addresses where there is no workspace. */
export const NONE = "-";

/** The tenant and the workspace of the page. */
export function useScope(): Scope {
  const { tenant = "", workspace = NONE } = useParams();
  return { tenant, workspace: workspace === NONE ? "" : workspace };
}

/** The address of a page: `at(scope, "billing")`. */
export function at(scope: Scope, page = ""): string {
  const tenant = encodeURIComponent(scope.tenant);
  return `/${tenant}/${encodeURIComponent(scope.workspace || NONE)}/${page}`.replace(/\/$/, "");
}

/** The address of the list of a kind. */
export function listAt(scope: Scope, noun: string): string {
  return at(scope, lists[noun] ?? `kinds/${noun}`);
}

/** The address of a resource's page by its reference; undefined where this cloud has no such kind. */
export function resourceAt(catalogue: Catalogue, scope: Scope, ref: string): string | undefined {
  const kind = catalogue.ofRef(ref);
  if (!kind) return undefined;
  const parts = ref.split("/");
  const tenant = parts[2] === "tenants" && kind.scope !== "global" ? parts[3] : undefined;
  const workspace = kind.scope === "workspace" ? parts[5] : undefined;
  const where = {
    tenant: tenant ?? scope.tenant,
    workspace: workspace ?? (tenant && tenant !== scope.tenant ? "" : scope.workspace),
  };
  const names = namesIn(kind, ref).map(encodeURIComponent).join("/");
  return at(where, `kinds/${kind.noun}/${names}`);
}

/** Addresses from where one is. */
export function useAddress() {
  const catalogue = useCatalogue();
  const { tenant, workspace } = useScope();
  const page = useCallback((to: string) => at({ tenant, workspace }, to), [tenant, workspace]);
  const list = useCallback(
    (noun: string) => listAt({ tenant, workspace }, noun),
    [tenant, workspace],
  );
  const resource = useCallback(
    (ref: string) => resourceAt(catalogue, { tenant, workspace }, ref),
    [catalogue, tenant, workspace],
  );
  return { page, list, resource };
}
