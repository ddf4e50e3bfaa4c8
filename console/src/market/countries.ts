/** Countries as people know them: by name. Codes and groups are those that policies take. */

const NAMES = new Intl.DisplayNames(["en"], { type: "region", fallback: "none" });

export const GROUPS: Readonly<Record<string, string>> = {
  EU: "European Union",
  EEA: "European Economic Area",
  EFTA: "EFTA: Iceland, Liechtenstein, Norway, Switzerland",
  BENELUX: "Benelux: Belgium, Netherlands, Luxembourg",
  DACH: "Germany, Austria, Switzerland",
  NORDICS: "Nordics: Denmark, Finland, Iceland, Norway, Sweden",
  BALTICS: "Baltics: Estonia, Latvia, Lithuania",
};
/** What has a code and a name, and is no country that one could keep to. */
const NOT = new Set(["EU", "EZ", "UN", "QO", "ZZ", "XA", "XB", "XK", "AC", "CP", "CQ", "DG", "EA"]);
NOT.add("IC").add("TA");

let all: readonly Named[] | undefined;

export interface Named {
  value: string;
  label: string;
}

/** All countries, by name. */
export function countries(): readonly Named[] {
  all ??= found().sort((one, other) => one.label.localeCompare(other.label, "en"));
  return all;
}

function found(): Named[] {
  const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
  const codes = letters.flatMap((one) => letters.map((other) => one + other));
  return codes.flatMap((value) => {
    const label = NOT.has(value) ? undefined : NAMES.of(value);
    // A state that is no more is known by the code of what followed it.
    const still = new Intl.Locale(`und-${value}`).region === value;
    return label && still ? [{ value, label }] : [];
  });
}

/** Countries and groups of them for a choice; what is chosen already is among them. */
export function choices(chosen: readonly string[] = [], groups = true) {
  const known = countries();
  const others = chosen.filter(
    (code) => !(code in GROUPS) && known.every(({ value }) => value !== code),
  );
  return [
    ...(groups
      ? [
          {
            group: "Groups of countries",
            items: Object.entries(GROUPS).map(([value, label]) => ({ value, label })),
          },
        ]
      : []),
    { group: "Countries", items: [...known, ...others.map((value) => ({ value, label: value }))] },
  ];
}
