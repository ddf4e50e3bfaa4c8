/** The ways in: password and second factor, token, an issuer of OpenID Connect. And out. */
import { api, send, withQuery } from "./http";
import { Problem } from "./problem";
import type { OpenSessionAnswer, WaysInAnswer, WhoamiAnswer } from "./schema";
import { beginSession, currentSession, dropSession, type Session } from "./session";

const IDENTITY = "/providers/skerry.identity/v1";
const ATTEMPT = "skerry-sign-in";

export interface Credentials {
  tenant: string;
  user: string;
  password: string;
  code: string;
}

/** How people may sign in here. */
export function waysIn(signal?: AbortSignal): Promise<WaysInAnswer> {
  return api.get<WaysInAnswer>(`${IDENTITY}/sign-in`, {}, signal);
}

/** Sign in by password. `recoveryCodes` come once, when this confirmed a second factor. */
export async function signInByPassword(given: Credentials): Promise<string[]> {
  const { code, ...rest } = given;
  return opened(code ? { ...rest, code } : rest);
}

/** Sign in with a token that one has: an API token, or the operator's. */
export async function signInByToken(token: string): Promise<void> {
  await begin(token.trim(), "");
}

/** Leave for an issuer's page; it sends the browser back to `/console/signed-in`. */
export async function leaveForIssuer(issuer: string, tenant: string, back: string): Promise<void> {
  const verifier = random(48);
  const state = random(16);
  sessionStorage.setItem(ATTEMPT, JSON.stringify({ verifier, state, back }));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  // A path: the server leads back to its own pages only.
  const to = "/console/signed-in";
  const query = { issuer, tenant, back: to, state, challenge: base64url(new Uint8Array(digest)) };
  window.location.assign(withQuery("/sign-in/begin", query));
}

/** Come back from an issuer. Answers where one was going to. Raises `Problem`. */
export async function comeBack(query: URLSearchParams): Promise<string> {
  const kept = JSON.parse(sessionStorage.getItem(ATTEMPT) ?? "null") as Record<
    string,
    string
  > | null;
  sessionStorage.removeItem(ATTEMPT);
  const code = query.get("code");
  if (!kept || kept.state !== query.get("state") || !code) {
    throw new Problem({
      status: 403,
      title: "You are not signed in",
      detail: query.get("error_description") ?? "This sign-in was not begun in this tab.",
      hint: "Begin again from the sign-in page.",
    });
  }
  await opened({ code, verifier: kept.verifier });
  return kept.back ?? "/";
}

/** Sign out: the token is worth nothing afterwards, if it was made by signing in. */
export async function signOut(): Promise<void> {
  const session = currentSession();
  dropSession();
  // A token that was pasted stays good: it is other programs' as well.
  if (session?.made) await send(`${IDENTITY}/sessions`, { method: "DELETE", token: session.token });
}

async function opened(body: Record<string, string | undefined>): Promise<string[]> {
  const response = await send(`${IDENTITY}/sessions`, { method: "POST", body, token: "" });
  const made = (await response.json()) as OpenSessionAnswer;
  await begin(made.token, made.expiresAt);
  return made.recoveryCodes ?? [];
}

async function begin(token: string, expiresAt: string): Promise<void> {
  const response = await send(`${IDENTITY}/whoami`, { token });
  const who = (await response.json()) as WhoamiAnswer;
  const made = expiresAt !== "";
  const session: Session = { ...who, token, made, expiresAt: expiresAt || (who.expiresAt ?? "") };
  beginSession(session);
}

function random(bytes: number): string {
  return base64url(crypto.getRandomValues(new Uint8Array(bytes)));
}

function base64url(bytes: Uint8Array): string {
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
