/** The cache of what was asked. */
import { QueryClient } from "@tanstack/react-query";
import { Problem } from "./problem";

/** Only what may pass by itself is asked again by itself. */
function again(failures: number, error: unknown): boolean {
  return error instanceof Problem && error.passing && failures < 3;
}

export const client = new QueryClient({
  defaultOptions: {
    queries: {
      retry: again,
      retryDelay: (failures) => Math.min(500 * 2 ** failures, 8000),
      staleTime: 10_000,
      gcTime: 5 * 60_000,
      networkMode: "always",
    },
    mutations: { networkMode: "always" },
  },
});
