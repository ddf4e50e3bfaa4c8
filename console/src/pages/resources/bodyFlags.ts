/** What an action is given, as flags of its command: `{receivedOn: "…"}` is `--received-on …`. */
export function bodyFlags(body: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(body).flatMap(([name, value]) => {
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    if (value === undefined || value === null || value === "") return [];
    if (typeof value === "boolean") return value ? [flag] : [];
    if (Array.isArray(value)) return value.flatMap((one) => [flag, asWord(one)]);
    return [flag, asWord(value)];
  });
}

function asWord(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
