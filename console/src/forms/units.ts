/**
 * Amounts as people write them: `2 GiB`, `10 m`, `0.5` cores, `2.49` euros. Exact, never rounded:
 * what can't be read exactly is not read. The same words as the command line takes.
 */

export type Unit = "bytes" | "seconds" | "millicores" | "octal" | "money" | "";

type Factors = Readonly<Record<string, number>>;

const SECONDS: Factors = { "": 1, s: 1, m: 60, h: 3600, d: 86400 };
const BYTES: Factors = bytesFactors();

function bytesFactors(): Factors {
  const made: Record<string, number> = { "": 1, b: 1 };
  for (const [index, letter] of ["k", "m", "g", "t", "p"].entries()) {
    made[`${letter}b`] = 1000 ** (index + 1);
    for (const word of [letter, `${letter}i`, `${letter}ib`]) made[word] = 1024 ** (index + 1);
  }
  return made;
}

/** The number that a text means in a unit; undefined where it means none. */
export function readAmount(text: string, unit: Unit, whole = true): number | undefined {
  const said = text.trim();
  switch (unit) {
    case "bytes":
      return scaled(said.toLowerCase(), BYTES, whole);
    case "seconds":
      return scaled(said, SECONDS, whole);
    case "millicores":
      return said.endsWith("m") ? scaled(said, { m: 1 }, whole) : scaled(said, { "": 1000 }, whole);
    case "octal":
      return /^[0-7]+$/.test(said) ? parseInt(said, 8) : undefined;
    default:
      return scaled(said, { "": 1 }, whole);
  }
}

function scaled(text: string, factors: Factors, whole: boolean): number | undefined {
  const found = /^(-?)([0-9]+)(?:\.([0-9]+))?\s*([A-Za-z]*)$/.exec(text);
  if (found === null) return undefined;
  const [, sign = "", digits = "0", fraction = "", unit = ""] = found;
  const factor = factors[unit];
  if (factor === undefined) return undefined;
  const scale = 10n ** BigInt(fraction.length);
  const exact = BigInt(digits + fraction) * BigInt(factor);
  const minus = sign === "" ? 1 : -1;
  if (exact % scale !== 0n) return whole ? undefined : (minus * Number(exact)) / Number(scale);
  const value = Number(exact / scale);
  return Number.isSafeInteger(value) ? minus * value : undefined;
}

/** A number as it is written in a field: in the largest unit that says it exactly. */
export function writeAmount(value: number, unit: Unit): string {
  switch (unit) {
    case "bytes":
      return largest(value, [
        ["PiB", 1024 ** 5],
        ["TiB", 1024 ** 4],
        ["GiB", 1024 ** 3],
        ["MiB", 1024 ** 2],
        ["KiB", 1024],
      ]);
    case "seconds":
      return largest(value, [
        ["d", 86400],
        ["h", 3600],
        ["m", 60],
        ["s", 1],
      ]);
    case "millicores":
      return decimal(value);
    case "octal":
      return value.toString(8).padStart(4, "0");
    default:
      return String(value);
  }
}

function largest(value: number, units: readonly (readonly [string, number])[]): string {
  if (value === 0) return "0";
  for (const [name, factor] of units) {
    if (value % factor === 0) return `${String(value / factor)} ${name}`;
  }
  // Halves and quarters read better than thousands of the unit below.
  for (const [name, factor] of units) {
    if (value > factor && (value * 4) % factor === 0) return `${String(value / factor)} ${name}`;
  }
  return String(value);
}

function decimal(thousandths: number): string {
  const text = String(Math.abs(thousandths)).padStart(4, "0");
  const fraction = text.slice(-3).replace(/0+$/, "");
  const whole = `${thousandths < 0 ? "-" : ""}${text.slice(0, -3)}`;
  return fraction === "" ? whole : `${whole}.${fraction}`;
}

/** What may be written, in words, for a field of this unit. */
export function examples(unit: Unit): string {
  switch (unit) {
    case "bytes":
      return "such as 512 MiB or 2 GiB";
    case "seconds":
      return "such as 90 s, 10 m, 1.5 h or 2 d";
    case "millicores":
      return "such as 2 or 0.5";
    case "octal":
      return "such as 0644";
    case "money":
      return "such as 12 or 12.50";
    default:
      return "such as 10";
  }
}

const BYTES_NAME = /^(memory|size|disk|bytes|body|[a-z]+(Bytes|Memory))$/;
const SECONDS_NAME =
  /^(seconds|timeLimit|timeout|ttl|idle|drain|grace|patience|progress|[a-zA-Z]+Seconds)$/;

/** The unit of a number, by its name and what its description says. */
export function unitOf(name: string, description = ""): Unit {
  if (name === "millicores" || /thousandths of a core/i.test(description)) return "millicores";
  if (/^milliseconds/i.test(description)) return "";
  if (BYTES_NAME.test(name) || /\bbytes\b/i.test(description)) return "bytes";
  if (SECONDS_NAME.test(name) || /^seconds\b/i.test(description)) return "seconds";
  return name === "mode" ? "octal" : "";
}
