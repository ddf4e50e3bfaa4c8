/**
 * What stood in a form when the session ended, for the same person once they are back. It stays in
 * this page's memory, since it may hold secrets, and is nobody else's.
 */
import { useEffect, useRef, useState } from "react";
import { currentSession, sessionEnded } from "~/api/session";

const kept = new Map<string, unknown>();

function whose(name: string): string {
  const session = currentSession();
  return `${session?.tenant} ${session?.subject} ${window.location.pathname} ${name}`;
}

/** State as `useState` has it, which outlives the end of a session. `name`: which one of a page. */
export function useDraft<T>(name: string, start: () => T): [T, (next: T) => void] {
  const [key] = useState(() => whose(name));
  const [value, setValue] = useState<T>(() => (kept.has(key) ? (kept.get(key) as T) : start()));
  const latest = useRef(value);
  latest.current = value;
  useEffect(() => {
    kept.delete(key);
    return () => {
      if (sessionEnded()) kept.set(key, latest.current);
    };
  }, [key]);
  return [value, setValue];
}
