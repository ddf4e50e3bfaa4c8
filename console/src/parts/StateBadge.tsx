/** A state in words, with a dot of its colour; colour alone never says anything. */
import { Tooltip } from "@mantine/core";
import classes from "./StateBadge.module.css";

type Tone = "good" | "busy" | "warn" | "bad" | "idle";

const TONES: Record<string, Tone> = {};
const WORDS: Record<Tone, string> = {
  good: "ok active running succeeded ready open paid funded online accepted mounted free bound healthy delivered valid settled current confirmed done cleared",
  busy: "creating updating deleting pending queued placing starting pulling stopping restarting waiting moving rolling preparing building draining snapshotting joining issued sent attaching",
  warn: "warning paused suspended cordoned degraded overdue expired partial unknown lost silent retrying out-of-money out-of-budget exhausted stale drained",
  bad: "error failed refused revoked broken dead crashed rejected",
  idle: "stopped cancelled canceled ended deleted closed idle released void unused planned superseded credited",
};
for (const [tone, words] of Object.entries(WORDS) as [Tone, string][]) {
  for (const word of words.split(" ")) TONES[word] = tone;
}

export function toneOf(state: string): Tone {
  return TONES[state.toLowerCase()] ?? "idle";
}

interface Props {
  state: string;
  /** Why it is so, if that is known. */
  why?: string;
}

export function StateBadge({ state, why }: Props) {
  const tone = toneOf(state);
  const badge = (
    <span className={classes.badge} data-tone={tone}>
      <span className={classes.dot} aria-hidden="true" />
      {state.replaceAll("-", " ")}
    </span>
  );
  return why ? <Tooltip label={why}>{badge}</Tooltip> : badge;
}
