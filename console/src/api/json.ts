/** JSON in which integers too large for a number come as BigInt: money is counted in billionths. */

const LARGE = /[:[,\s]-?\d{16,}[\s,\]}]/;

/** A value that JSON can hold, with large integers as BigInt. */
export function parseJson(text: string): unknown {
  return LARGE.test(text) ? JSON.parse(text, exact) : JSON.parse(text);
}

function exact(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value) || !Number.isInteger(value)) {
    return value;
  }
  return context?.source && /^-?\d+$/.test(context.source) ? BigInt(context.source) : value;
}

/** The text of a value, with BigInt written as the integers they are. */
export function toJson(value: unknown, indent?: number): string {
  const marks = new Map<string, string>();
  const text = JSON.stringify(
    value,
    (_key, inner: unknown) => {
      if (typeof inner !== "bigint") return inner;
      const mark = `bigint:${marks.size}:${inner}`;
      marks.set(`"${mark}"`, String(inner));
      return mark;
    },
    indent,
  );
  return marks.size === 0
    ? text
    : text.replace(/"bigint:\d+:-?\d+"/g, (mark) => marks.get(mark) ?? mark);
}
