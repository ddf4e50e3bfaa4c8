/** Countries by name, and where to find them on the map. */

const NAMES = new Intl.DisplayNames(["en"], { type: "region", fallback: "code" });

/** As the map's shapes are called where that is not the usual name. */
const ON_MAP: Record<string, string> = {
  BA: "Bosnia and Herz.",
  CD: "Dem. Rep. Congo",
  CF: "Central African Rep.",
  CG: "Congo",
  CI: "Côte d'Ivoire",
  CZ: "Czechia",
  DO: "Dominican Rep.",
  GQ: "Eq. Guinea",
  MK: "Macedonia",
  MM: "Myanmar",
  SB: "Solomon Is.",
  SS: "S. Sudan",
  SZ: "eSwatini",
  TR: "Turkey",
  US: "United States of America",
};

/** `Sweden`; `unknown` where nobody said. */
export function countryName(code: string): string {
  if (!/^[A-Z]{2}$/.test(code)) return "unknown";
  return NAMES.of(code) ?? code;
}

/** Its name on the map. */
export function onMap(code: string): string {
  return ON_MAP[code] ?? countryName(code);
}
