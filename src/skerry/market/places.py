"""Jurisdictions: the country codes and the named groups of countries that policies may use.

Codes are ISO 3166-1 alpha-2. A group is exactly the member states' own codes: territories with a
code of their own (Réunion ``RE``, Åland ``AX``, Guernsey ``GG``, …) are not part of it, because law
differs there; who wants them names them. The lists hold since 2020-02-01 (the EU without the
United Kingdom); a change of membership is a new version of this file.
"""

from skerry.kernel.countries import COUNTRIES, EU

GROUPS: dict[str, frozenset[str]] = {
    "EU": EU,
    "EEA": EU | {"IS", "LI", "NO"},
    "EFTA": frozenset({"CH", "IS", "LI", "NO"}),
    "BENELUX": frozenset({"BE", "LU", "NL"}),
    "DACH": frozenset({"AT", "CH", "DE"}),
    "NORDICS": frozenset({"DK", "FI", "IS", "NO", "SE"}),
    "BALTICS": frozenset({"EE", "LT", "LV"}),
}


def known(code: str) -> bool:
    """Whether ``code`` is a country or a group."""
    return code in COUNTRIES or code in GROUPS


def countries(codes: tuple[str, ...]) -> frozenset[str]:
    """The countries that codes and group names mean; raises ``ValueError`` for an unknown one."""
    found: set[str] = set()
    for code in codes:
        if code in GROUPS:
            found |= GROUPS[code]
        elif code in COUNTRIES:
            found.add(code)
        else:
            raise ValueError(f"{code!r} is neither an ISO 3166-1 country code nor a known group")
    return frozenset(found)


def in_words(codes: frozenset[str]) -> str:
    """Countries as a person would say them: ``EU without HU, CH``."""
    name = min(("EEA", "EU"), key=lambda group: len(GROUPS[group] - codes))
    missing = GROUPS[name] - codes
    if len(missing) > 3:
        return ", ".join(sorted(codes)) or "no country"
    group = f"{name} without {', '.join(sorted(missing))}" if missing else name
    return ", ".join([group, *sorted(codes - GROUPS[name])])
