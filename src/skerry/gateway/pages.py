"""What the gateway itself says: short pages for browsers, plain text for everyone else."""

import html

from skerry.gateway.seams import Answer, Head

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">{refresh}
<meta name="viewport" content="width=device-width"><title>{title}</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;margin:20vh auto;max-width:32em;padding:0 1em;
color:#223}}h1{{font-size:1.4em}}p{{color:#556}}</style></head>
<body><h1>{title}</h1><p>{text}</p></body></html>
"""
_CLOSED = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'"),
    (b"x-content-type-options", b"nosniff"),
)


def wants_page(head: Head) -> bool:
    """Whether it is a person's browser that asks for a page."""
    return head.method in ("GET", "HEAD") and b"text/html" in head.get(b"accept")


def plain(status: int, text: str, *headers: tuple[bytes, bytes]) -> Answer:
    """One line of text."""
    kind = (b"content-type", b"text/plain; charset=utf-8")
    return Answer(status, (kind, *_CLOSED, *headers), f"{text}\n".encode())


def page(
    status: int, title: str, text: str, *headers: tuple[bytes, bytes], again: int = 0
) -> Answer:
    """A page; ``again``: it asks again by itself after so many seconds."""
    refresh = f'<meta http-equiv="refresh" content="{again}">' if again else ""
    body = _PAGE.format(title=html.escape(title), text=html.escape(text), refresh=refresh)
    kind = (b"content-type", b"text/html; charset=utf-8")
    return Answer(status, (kind, *_CLOSED, *headers), body.encode())


def unavailable(head: Head | None, text: str, *, again: int) -> Answer:
    """503, and when to come again."""
    later = (b"retry-after", str(again).encode())
    if head is not None and wants_page(head):
        return page(
            503, "One moment", f"{text} This page asks again by itself.", later, again=again
        )
    return plain(503, f"{text} Try again in {again} seconds.", later)


def redirect(status: int, where: str, *headers: tuple[bytes, bytes]) -> Answer:
    """303 to go on with GET, 308 to ask the same there."""
    safe = where.replace("\r", "").replace("\n", "").encode("latin-1", "replace")
    return Answer(status, ((b"location", safe), (b"cache-control", b"no-store"), *headers))
