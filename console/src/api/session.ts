/**
 * Who is signed in. The token is in the sessionStorage of this browser's tabs and nowhere else: it
 * is in no URL, in no cookie, and gone when the last tab is closed.
 */
import { useSyncExternalStore } from "react";

export interface Session {
  token: string;
  tenant: string;
  /** `users/anna`, or `service-accounts/robot`. */
  subject: string;
  displayName: string;
  operator: boolean;
  /** RFC 3339; empty if it is not known. */
  expiresAt: string;
  /** Whether the token was made by signing in, and ends by signing out. */
  made?: boolean;
}

const KEY = "skerry-session";
const listeners = new Set<() => void>();
let current: Session | null = read();
let ended = false;

function read(): Session | null {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null") as Session | null;
    return typeof kept?.token === "string" && typeof kept.tenant === "string" ? kept : null;
  } catch {
    return null;
  }
}

function set(session: Session | null): void {
  current = session;
  try {
    if (session) sessionStorage.setItem(KEY, JSON.stringify(session));
    else sessionStorage.removeItem(KEY);
  } catch {
    // Without storage the session lives as long as the page.
  }
  for (const listener of listeners) listener();
}

export function sessionToken(): string {
  return current?.token ?? "";
}

export function currentSession(): Session | null {
  return current;
}

export function beginSession(session: Session): void {
  ended = false;
  set(session);
}

/** The server no longer knows the token. `token`: that of the request that was refused. */
export function endSession(token: string): void {
  if (current?.token !== token) return;
  ended = true;
  set(null);
}

/** Signed out by the person, in every tab. */
export function dropSession(): void {
  const token = current?.token;
  ended = false;
  set(null);
  if (token) tabs?.postMessage({ dropped: token } satisfies Word);
}

/** Whether the last session was ended by the server rather than by the person. */
export function sessionEnded(): boolean {
  return ended;
}

/** What tabs of one browser say to each other; only pages of this origin hear it. */
interface Word {
  asks?: true;
  has?: Session;
  dropped?: string;
}

const tabs = typeof BroadcastChannel === "undefined" ? undefined : new BroadcastChannel(KEY);
tabs?.addEventListener("message", ({ data }: MessageEvent<Word>) => {
  if (data.asks && current) tabs.postMessage({ has: current } satisfies Word);
  if (data.dropped && data.dropped === current?.token) set(null);
});

/** The session of another tab, for one that was opened from there. It waits for it a moment. */
export async function borrowSession(): Promise<void> {
  if (current || !tabs) return;
  await new Promise<void>((resolve) => {
    const heard = ({ data }: MessageEvent<Word>): void => {
      if (data.has && !current) set(data.has);
      if (data.has) resolve();
    };
    tabs.addEventListener("message", heard);
    tabs.postMessage({ asks: true } satisfies Word);
    setTimeout(() => {
      tabs.removeEventListener("message", heard);
      resolve();
    }, 120);
  });
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The session, or null where nobody is signed in. */
export function useSession(): Session | null {
  return useSyncExternalStore(subscribe, currentSession);
}

/** The session, inside pages that need one. */
export function useSignedIn(): Session {
  const session = useSession();
  if (!session) throw new Error("nobody is signed in");
  return session;
}
