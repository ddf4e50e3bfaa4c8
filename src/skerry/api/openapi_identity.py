"""Sessions and the ways to one, for OpenAPI."""

from collections.abc import Mapping

from skerry.api.openapi_common import (
    PUBLIC,
    TEXT,
    TIME,
    Schema,
    json_content,
    path_parameters,
    plain,
    required,
)
from skerry.kernel import errors

_IDENTITY = "/providers/skerry.identity/v1"
_FLAG: Schema = {"type": "boolean"}
_MAYBE: Schema = {"type": ["string", "null"]}
_FAILS = (
    errors.InvalidRequest, errors.TooLarge, errors.ValidationError, errors.TooManyRequests,
    errors.Unavailable,
)  # fmt: skip


def paths() -> Mapping[str, Schema]:
    """Every path below ``skerry.identity`` that no kind declares."""
    return {
        f"{_IDENTITY}/whoami": {"get": _whoami()},
        f"{_IDENTITY}/sessions": {
            "get": _sessions(),
            "post": _open(),
            "delete": plain(
                "close_session", "Sign out", {"202": {"description": "Signed out"}},
                errors.Unauthenticated,
            ),
        },
        f"{_IDENTITY}/sessions/{{session}}": {
            "parameters": path_parameters(("session",)),
            "delete": plain(
                "close_other_session", "End another of one's own sessions",
                {"202": {"description": "It is over"}}, errors.Unauthenticated, errors.NotFound,
            ),
        },
        f"{_IDENTITY}/tickets": {"post": _ticket()},
        f"{_IDENTITY}/sign-in": {"get": _ways()},
        f"{_IDENTITY}/second-factors": {"post": _begin_factor(), "delete": _drop_factor()},
        f"{_IDENTITY}/token": {"post": _exchange()},
        f"{_IDENTITY}/joins": {"post": _join()},
        f"{_IDENTITY}/resets": {"post": _reset()},
    }  # fmt: skip


def _closed(*names: str) -> Schema:
    return {**required(dict.fromkeys(names, TEXT)), "additionalProperties": False}


def _taking(schema: Schema) -> Schema:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _whoami() -> Schema:
    texts = dict.fromkeys(("tenant", "subject", "displayName"), TEXT)
    who = required({**texts, "operator": _FLAG, "expiresAt": TIME}, "expiresAt")
    return plain(
        "whoami", "Who the token belongs to, and until when", {"200": json_content(who, "You")},
        errors.Unauthenticated,
    )  # fmt: skip


def _sessions() -> Schema:
    held = required(
        {
            "id": TEXT,
            "token": {**_MAYBE, "description": "The token's name; null: it is a session"},
            "by": {**TEXT, "description": "What proved a session: password, issuer/NAME"},
            "address": {**TEXT, "description": "Where a session was opened from"},
            "openedAt": TIME,
            "lastUsedAt": _MAYBE,
            "expiresAt": _MAYBE,
            "narrowed": {**_FLAG, "description": "Scopes let it do less than its bearer"},
            "current": {**_FLAG, "description": "It is the one that asks"},
        }
    )
    page = required({"items": {"type": "array", "items": held}})
    return plain(
        "list_sessions", "One's own sessions and tokens, newest first",
        {"200": json_content(page, "What one can come in with")}, errors.Unauthenticated,
    )  # fmt: skip


def _open() -> Schema:
    told = {"token": TEXT, "tenant": TEXT, "subject": TEXT, "expiresAt": TIME}
    codes = {"recoveryCodes": {"type": "array", "items": TEXT}}
    password = {
        **_closed("tenant", "user", "password"),
        "properties": dict.fromkeys(("tenant", "user", "password", "code"), TEXT),
    }
    return plain(
        "open_session", "Sign in with a password, or a code of a sign-in at an issuer",
        {"201": json_content(required({**told, **codes}, *codes), "A token for a while")},
        errors.Unauthenticated, errors.Forbidden, *_FAILS,
        requestBody=_taking({"anyOf": [password, _closed("code", "verifier")]}), **PUBLIC,
    )  # fmt: skip


def _ticket() -> Schema:
    ticket = required({"ticket": TEXT, "expiresAt": TIME})
    return plain(
        "issue_ticket", "A ticket that opens one channel, once, for browsers",
        {"201": json_content(ticket, "To be sent as the subprotocol skerry.ticket.TICKET")},
        errors.Unauthenticated, errors.Forbidden, errors.NotFound, errors.Conflict, *_FAILS,
        requestBody=_taking(_closed("path")),
    )  # fmt: skip


def _ways() -> Schema:
    issuer = required({"name": TEXT, "displayName": TEXT})
    ways = required({"issuers": {"type": "array", "items": issuer}, "password": _FLAG})
    return plain(
        "ways_in", "How people may sign in", {"200": json_content(ways, "Issuers")}, **PUBLIC
    )


def _begin_factor() -> Schema:
    begun = required(dict.fromkeys(("uri", "secret", "svg", "text"), TEXT))
    return plain(
        "begin_factor", "Begin a second factor; its first code at sign-in confirms it",
        {"201": json_content(begun, "What an authenticator takes")},
        errors.Unauthenticated, errors.Conflict, *_FAILS,
        requestBody=_taking(_closed("tenant", "user", "password")), **PUBLIC,
    )  # fmt: skip


def _drop_factor() -> Schema:
    return plain(
        "drop_factor", "Drop one's own second factor",
        {"202": {"description": "The password alone counts"}}, errors.Unauthenticated, *_FAILS,
        requestBody=_taking(_closed("tenant", "user", "password", "code")), **PUBLIC,
    )  # fmt: skip


def _exchange() -> Schema:
    wanted = required(
        dict.fromkeys(("grant_type", "subject_token", "subject_token_type", "audience"), TEXT)
    )
    exchanged = required(
        {
            **dict.fromkeys(("access_token", "issued_token_type", "token_type"), TEXT),
            "expires_in": {"type": "integer"},
        }
    )
    refusal = required({"error": TEXT, "error_description": TEXT})
    answers = {
        "200": json_content(exchanged, "A token for a while"),
        "400": json_content(refusal, "It is not"),
    }
    form = {"application/x-www-form-urlencoded": {"schema": wanted}}
    return plain(
        "exchange_token", "Exchange an issuer's token for a service account's (RFC 8693)", answers,
        errors.TooLarge, errors.TooManyRequests, errors.Unavailable,
        requestBody={"required": True, "content": form}, **PUBLIC,
    )  # fmt: skip


def _join() -> Schema:
    made = required({"tenant": TEXT, "user": TEXT})
    return plain(
        "follow_link", "Accept an invitation, or set a new password, by a link's code",
        {"201": json_content(made, "Who you are")},
        errors.NotFound, errors.Gone, errors.Conflict, *_FAILS,
        requestBody=_taking(_closed("code", "password")), **PUBLIC,
    )  # fmt: skip


def _reset() -> Schema:
    return plain(
        "ask_reset", "Have a link mailed for a new password",
        {"202": {"description": "It is, if they are known and have an address"}}, *_FAILS,
        requestBody=_taking(_closed("tenant", "user")), **PUBLIC,
    )  # fmt: skip
