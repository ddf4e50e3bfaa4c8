/** The beginning: one's own tenant, and the workspace where one was last. */
import { Container } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Navigate, useParams } from "react-router";
import { api } from "~/api/http";
import { useSignedIn } from "~/api/session";
import type { Page } from "~/api/types";
import { ProblemAlert } from "~/parts/ProblemAlert";
import { PageSkeleton } from "~/parts/Skeletons";
import { lastWorkspace } from "./remembered";
import { at } from "./scope";

export function Home() {
  const session = useSignedIn();
  const { tenant = session.tenant } = useParams();
  const found = useWorkspaces(tenant);
  if (found.isPending) return <PageSkeleton />;
  if (found.isError && found.error.name === "Problem" && !isForbidden(found.error)) {
    return (
      <Container size="sm" py="xl">
        <ProblemAlert error={found.error} retry={() => void found.refetch()} />
      </Container>
    );
  }
  const names = found.data?.items.map((item) => item.metadata.name) ?? [];
  const last = lastWorkspace(tenant);
  const workspace = names.find((name) => name === last) ?? names[0] ?? "";
  return <Navigate to={at({ tenant, workspace })} replace />;
}

function isForbidden(error: unknown): boolean {
  return typeof error === "object" && error !== null && "status" in error && error.status === 403;
}

/** The workspaces of a tenant. */
export function useWorkspaces(tenant: string) {
  const path = `/providers/seca.workspace/v1/tenants/${encodeURIComponent(tenant)}/workspaces`;
  return useQuery({
    queryKey: ["list", "workspace", path, { limit: 1000 }],
    queryFn: ({ signal }) => api.get<Page>(path, { limit: 1000 }, signal),
  });
}
