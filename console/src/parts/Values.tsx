/** Money, times and quantities, in the one form they have everywhere. */
import { Tooltip } from "@mantine/core";
import { useSyncExternalStore } from "react";
import { ago, moment, money, type Nano, shortly, size } from "./formats";

interface MoneyProps {
  /** In 10⁻⁹ of the currency's unit. */
  nano: Nano;
  currency?: string;
  /** After it: "an hour". */
  per?: string;
}

/** An amount; all its digits on a closer look. A price has them at once. */
export function Money({ nano, currency, per }: MoneyProps) {
  const exact = money(nano, currency);
  const short = per ? exact : shortly(nano, currency);
  return (
    <span
      className="tabular"
      style={{ whiteSpace: "nowrap" }}
      title={short === exact ? undefined : exact}
    >
      {short}
      {per ? ` ${per}` : ""}
    </span>
  );
}

const ticking = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let now = Date.now();

/** One clock for all times on a page; it stands still where there are none. */
function tick(listener: () => void): () => void {
  ticking.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const each of ticking) each();
  }, 5000);
  return () => {
    ticking.delete(listener);
    if (ticking.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** The time, every five seconds. */
export function useNow(): number {
  return useSyncExternalStore(tick, () => now);
}

/** How long ago something was, its exact time on a closer look. */
export function Ago({ at }: { at: string }) {
  const current = useNow();
  return (
    <Tooltip label={moment(at)}>
      <time dateTime={at} className="tabular" style={{ whiteSpace: "nowrap" }}>
        {ago(at, Math.max(current, Date.now() - 5000))}
      </time>
    </Tooltip>
  );
}

interface QuantityProps {
  value: number;
  /** `bytes`, or what stands behind the number. */
  unit: string;
}

export function Quantity({ value, unit }: QuantityProps) {
  const text = unit === "bytes" ? size(value) : `${value.toLocaleString("en")} ${unit}`;
  return <span className="tabular">{text.replace(" ", "\u00a0")}</span>;
}
