/** Values as people read them: money, sizes, times. Never the other way round. */

const NANO = 1_000_000_000n;
/** A hundredth of a cent. */
const LEAST = 100_000n;
const SIZES = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const BYTES = /^(memory|size|disk|bytes|diskBytes|logBytes|freeMemory|freeDisk)$/;
const CORES = /^(millicores|freeMillicores)$/;

export type Nano = number | bigint | string;

/** An amount in 10⁻⁹ of a unit: two decimals from one unit on, below it four digits that count.
 *  `1_234_560_000` is `1.23`, `1_234_000` is `0.001234`. Rounded half to even; never a float. */
export function money(nano: Nano, currency = ""): string {
  const amount = BigInt(nano);
  const size = amount < 0n ? -amount : amount;
  const places = size === 0n || size >= NANO ? 2 : small(size);
  const step = 10n ** BigInt(9 - places);
  let units = size / step;
  const rest = (size % step) * 2n;
  if (rest > step || (rest === step && units % 2n === 1n)) units += 1n;
  const text = units.toString().padStart(places + 1, "0");
  let decimals = text.slice(-places);
  while (decimals.length > 2 && decimals.endsWith("0")) decimals = decimals.slice(0, -1);
  const whole = text.slice(0, -places).replace(/\B(?=(\d{3})+$)/g, "\u202f");
  const sign = amount < 0n && units > 0n ? "−" : "";
  return `${sign}${whole}.${decimals}${currency ? `\u00a0${currency}` : ""}`;
}

/** An amount that was reckoned to the billionth, where its cents and a little more are enough:
 *  four decimals below one unit, and no digits of what is less than those. */
export function shortly(nano: Nano, currency = ""): string {
  const amount = BigInt(nano);
  const size = amount < 0n ? -amount : amount;
  if (size === 0n || size >= NANO) return money(amount, currency);
  if (size < LEAST) return `${amount < 0n ? "> −" : "< "}${money(LEAST, currency)}`;
  const rest = size % LEAST;
  const up = rest * 2n > LEAST || (rest * 2n === LEAST && (size / LEAST) % 2n === 1n);
  const even = size - rest + (up ? LEAST : 0n);
  return money(amount < 0n ? -even : even, currency);
}

/** Decimals that show four digits of an amount below one unit. */
function small(size: bigint): number {
  return Math.min(9, Math.max(2, 13 - size.toString().length));
}

/** Bytes in the largest unit that leaves a number from 1: `1.5 GiB`. */
export function size(count: number): string {
  let power = 0;
  while (power < SIZES.length - 1 && Math.abs(count) >= 1024 ** (power + 1)) power += 1;
  const tenths = Math.trunc((Math.abs(count) * 10) / 1024 ** power);
  const text = power && tenths % 10 ? (tenths / 10).toFixed(1) : String(Math.trunc(tenths / 10));
  return `${count < 0 ? "−" : ""}${text} ${SIZES[power]}`;
}

/** `40 ms`, `1.4 s`, `42 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function duration(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 10) return `${seconds.toFixed(1).replace(/\.0$/, "")} s`;
  const count = Math.round(seconds);
  for (const [unit, name, below, under] of [
    [86400, "d", 3600, "h"],
    [3600, "h", 60, "min"],
    [60, "min", 1, "s"],
  ] as const) {
    if (count >= unit) {
      const rest = Math.floor((count % unit) / below);
      return `${Math.floor(count / unit)} ${name}${rest ? ` ${rest} ${under}` : ""}`;
    }
  }
  return `${count} s`;
}

/** How long ago, in its largest unit: `3 min ago`; what is to come is `in 3 min`. */
export function ago(time: string, now = Date.now()): string {
  const then = Date.parse(time);
  if (Number.isNaN(then)) return "–";
  const seconds = Math.trunc((now - then) / 1000);
  // Clocks differ a little: what seems to come in a moment has just been.
  if (Math.abs(seconds) < 5) return "just now";
  const count = Math.abs(seconds);
  const units = [
    [86400, "day"],
    [3600, "h"],
    [60, "min"],
    [1, "s"],
  ] as const;
  const [unit, name] = units.find(([length]) => count >= length) ?? [1, "s"];
  const many = Math.floor(count / unit);
  const text = `${many} ${name}${name === "day" && many !== 1 ? "s" : ""}`;
  return seconds < 0 ? `in ${text}` : `${text} ago`;
}

/** A time to read, in the time zone of the person: `2026-11-21 08:00:05`. */
export function moment(time: string): string {
  const then = new Date(time);
  if (Number.isNaN(then.getTime())) return time;
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${then.getFullYear()}-${two(then.getMonth() + 1)}-${two(then.getDate())}`;
  return `${day} ${two(then.getHours())}:${two(then.getMinutes())}:${two(then.getSeconds())}`;
}

/** `1 offer`, `2 offers`. */
export function counted(count: number, noun: string, nouns = `${noun}s`): string {
  return `${count.toLocaleString("en").replaceAll(",", "\u202f")} ${count === 1 ? noun : nouns}`;
}

/** The value at a dotted path, undefined where there is none. */
export function at(document: unknown, path: string): unknown {
  let found = document;
  for (const step of path.split(".")) {
    if (found === null || typeof found !== "object") return undefined;
    found = (found as Record<string, unknown>)[step];
  }
  return found;
}

/** The currency that holds at a path: beside it, or above. */
export function currencyNear(document: unknown, path: string): string {
  for (let above = path; above; ) {
    above = above.includes(".") ? above.slice(0, above.lastIndexOf(".")) : "";
    const found = at(document, above ? `${above}.currency` : "currency");
    if (typeof found === "string") return found;
  }
  return "";
}

export function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "") return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && Object.keys(value).length === 0;
}

/** Whether a value is money: `{currency, amountNano}`. */
export function isMoney(value: unknown): value is { amountNano: Nano; currency?: string } {
  return typeof value === "object" && value !== null && "amountNano" in value;
}

/** Whether a field's name says that it is a time. */
export function isTime(name: string, value: unknown): value is string {
  return typeof value === "string" && /(At|Until)$/.test(name) && !Number.isNaN(Date.parse(value));
}

/** One value in the form that its field's name tells, as text. */
export function scalar(name: string, value: unknown, currency = ""): string {
  if (isEmpty(value)) return "–";
  if (typeof value === "boolean") return value ? "yes" : "no";
  const whole = typeof value === "bigint" || Number.isInteger(value);
  if (whole && name.endsWith("Nano")) return money(value as number | bigint, currency);
  if (typeof value === "number" && BYTES.test(name)) return size(value);
  if (typeof value === "number" && CORES.test(name)) return cores(value);
  if (typeof value === "number" && /Seconds$|^timeLimit$|^ttl$/.test(name)) return duration(value);
  if (name === "command" && Array.isArray(value)) return value.map(quoted).join(" ");
  if (isTime(name, value)) return moment(value);
  if (isMoney(value)) return money(value.amountNano, value.currency ?? currency);
  if (Array.isArray(value)) {
    const simple = value.every((inner) => typeof inner !== "object" || inner === null);
    return simple ? value.join(", ") : counted(value.length, "entry", "entries");
  }
  if (typeof value === "object") {
    return Object.entries(value as object)
      .map(([key, inner]) => `${key}=${typeof inner === "object" ? "…" : inner}`)
      .join(", ");
  }
  return String(value);
}

/** A word as a POSIX shell takes it. */
export function quoted(word: unknown): string {
  const text = String(word);
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`;
}

/** `lastSeenAt` as words: "last seen". */
export function words(name: string): string {
  if (name === "url") return "URL";
  const text = name
    .replace(/(At|Nano|Seconds)$/, "")
    .replace(/^millicores$/, "cores")
    .replace(/^freeMillicores$/, "freeCores")
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replaceAll(/[-_]/g, " ")
    .toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The one currency that a document names anywhere; empty if none or several. */
export function onlyCurrency(document: unknown): string {
  const found = new Set<string>();
  const look = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    const { currency } = value as { currency?: unknown };
    if (typeof currency === "string" && currency) found.add(currency);
    for (const inner of Object.values(value)) look(inner);
  };
  look(document);
  return found.size === 1 ? ([...found][0] ?? "") : "";
}

/** Thousandths of cores: `0.45 cores`, `1 core`. */
export function cores(millicores: number): string {
  const text = String(millicores / 1000);
  return `${text} ${text === "1" ? "core" : "cores"}`;
}
