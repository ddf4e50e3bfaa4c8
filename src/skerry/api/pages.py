"""The few pages that people meet on the API's own origin: to sign in, and to follow a link.

They have no script, keep nothing, are framed by nobody, and tell no address where they led from.
"""

import html
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from skerry.api import requests
from skerry.kernel.errors import Forbidden

_MOST = 16 << 10
HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "frame-ancestors 'none'; base-uri 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;margin:12vh auto;max-width:22em;padding:0 1em;
color:#223}}label{{display:block;margin:.8em 0 .2em}}input{{width:100%;font:inherit;padding:.4em;
box-sizing:border-box}}button{{font:inherit;margin-top:1.2em;padding:.4em 1.2em}}
.problem{{color:#a22}}code{{word-break:break-all}}</style></head>
<body><h1>{title}</h1>{problem}
{body}</body></html>
"""


def page(title: str, body: str, problem: str = "", status: int = 200) -> Response:
    """``body`` is HTML in which whatever was given is escaped."""
    said = f'<p class="problem">{escaped(problem)}</p>' if problem else ""
    text = _PAGE.format(title=escaped(title), problem=said, body=body)
    return HTMLResponse(text, status, headers=HEADERS)


def escaped(text: str) -> str:
    return html.escape(text[:2048])


def hidden(**fields: str) -> str:
    """Fields that a form sends along."""
    return "".join(
        f'<input type="hidden" name="{name}" value="{escaped(value)}">'
        for name, value in fields.items()
    )


async def sent(request: Request) -> Mapping[str, str]:
    """The fields of a form that one of our own pages sent. Raises ``Forbidden``."""
    origin = request.headers.get("origin", "")
    if origin and urlsplit(origin).netloc != request.headers.get("host", ""):
        raise Forbidden("this form was sent by a page of another origin")
    text = (await requests.body(request, _MOST)).decode("utf-8", "replace")
    return requests.fields(text)
