/** Small things that a browser remembers for a person; none of them is secret. */

const WORKSPACES = "skerry-workspaces";

function kept(): Record<string, string> {
  try {
    return JSON.parse(localStorage.getItem(WORKSPACES) ?? "{}") as Record<string, string>;
  } catch {
    return {};
  }
}

/** The workspace of a tenant where one was last. */
export function lastWorkspace(tenant: string): string | undefined {
  return kept()[tenant];
}

export function rememberWorkspace(tenant: string, workspace: string): void {
  try {
    localStorage.setItem(WORKSPACES, JSON.stringify({ ...kept(), [tenant]: workspace }));
  } catch {
    // Storage is closed to us: one begins in the first workspace.
  }
}
