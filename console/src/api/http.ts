/** Requests to the API this page came from, with the session's token; errors are `Problem`s. */
import { parseJson, toJson } from "./json";
import { problemOf, unreachable } from "./problem";
import { endSession, sessionToken } from "./session";

export type Query = Record<string, string | number | boolean | undefined>;

interface Asked {
  method?: string;
  query?: Query;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** A token other than the session's; "" for none. */
  token?: string;
}

/** A path with a query; what is undefined or empty is left out. */
export function withQuery(path: string, query: Query = {}): string {
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") asked.set(name, String(value));
  }
  const text = asked.toString();
  return text ? `${path}?${text}` : path;
}

/** The response to a request that succeeded. Raises `Problem`; a 401 ends the session. */
export async function send(path: string, asked: Asked = {}): Promise<Response> {
  const token = asked.token ?? sessionToken();
  const headers: Record<string, string> = { accept: "application/json", ...asked.headers };
  if (token) headers.authorization = `Bearer ${token}`;
  if (asked.body !== undefined) headers["content-type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(withQuery(path, asked.query), {
      method: asked.method ?? "GET",
      headers,
      body: asked.body === undefined ? undefined : toJson(asked.body),
      signal: asked.signal,
      credentials: "omit",
      cache: "no-store",
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw unreachable();
  }
  if (response.ok) return response;
  const problem = await problemOf(response);
  if (problem.status === 401 && asked.token === undefined && token) endSession(token);
  throw problem;
}

async function json<T>(path: string, asked: Asked): Promise<T> {
  const response = await send(path, asked);
  const text = await response.text();
  return (text ? parseJson(text) : undefined) as T;
}

/** The five verbs. Bodies are plain values; answers are what the caller says they are. */
export const api = {
  get: <T>(path: string, query?: Query, signal?: AbortSignal) => json<T>(path, { query, signal }),
  /** `version`: only if the resource is still at it (412 else). */
  put: <T>(path: string, body: unknown, version?: number) =>
    json<T>(path, { method: "PUT", body, headers: unmodified(version) }),
  post: <T>(path: string, body?: unknown, query?: Query) =>
    json<T>(path, { method: "POST", body, query }),
  delete: (path: string, version?: number) =>
    json<void>(path, { method: "DELETE", headers: unmodified(version) }),
  text: async (path: string, query?: Query, signal?: AbortSignal) =>
    (await send(path, { query, signal, headers: { accept: "*/*" } })).text(),
};

function unmodified(version?: number): Record<string, string> {
  return version === undefined ? {} : { "if-unmodified-since": String(version) };
}
