/** Bytes as proofs have them: SHA-256, hex, the one right base64, UTF-8. */

export type Bytes = Uint8Array<ArrayBuffer>;

/** It does not hold. `where` names the part, `why` says what is wrong. */
export class Failed extends Error {
  constructor(
    readonly where: string,
    readonly why: string,
  ) {
    super(`${where}: ${why}`);
  }
}

/** Browsers have no cryptography for pages that came over plain HTTP from elsewhere. */
export function canCheck(): boolean {
  return globalThis.crypto?.subtle !== undefined;
}

export const utf8 = (text: string): Bytes => new TextEncoder().encode(text);

export async function sha256(...parts: Bytes[]): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", joined(parts)));
}

export function joined(parts: readonly Bytes[]): Bytes {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function same(one: Bytes, other: Bytes): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

export const hex = (bytes: Bytes): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Bytes of lower-case hex; undefined for anything else. */
export function unhex(text: unknown): Bytes | undefined {
  if (typeof text !== "string" || !/^(?:[0-9a-f]{2})*$/.test(text)) return undefined;
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** Bytes of the one right base64 of them; undefined for anything else. */
export function unbase64(text: string): Bytes | undefined {
  try {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    return btoa(String.fromCharCode(...bytes)) === text ? bytes : undefined;
  } catch {
    return undefined;
  }
}
