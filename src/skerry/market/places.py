"""Jurisdictions: the country codes and the named groups of countries that policies may use.

Codes are ISO 3166-1 alpha-2. A group is exactly the member states' own codes: territories with a
code of their own (Réunion ``RE``, Åland ``AX``, Guernsey ``GG``, …) are not part of it, because law
differs there; who wants them names them. The lists hold since 2020-02-01 (the EU without the
United Kingdom); a change of membership is a new version of this file.
"""

_COUNTRIES = """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS
    BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE
    EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM
    HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC
    LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA
    NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW
    SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO
    TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""
COUNTRIES = frozenset(_COUNTRIES.split())

_MEMBERS = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
_EU = frozenset(_MEMBERS.split())

GROUPS: dict[str, frozenset[str]] = {
    "EU": _EU,
    "EEA": _EU | {"IS", "LI", "NO"},
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
