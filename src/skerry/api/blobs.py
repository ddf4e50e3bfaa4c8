"""Input files, by digest: uploaded once, named in specs, shared within a workspace.

A blob is bytes; who may have it is the workspace's roles. That a digest is known elsewhere tells
nobody anything: a workspace sees only blobs that were put through it.
"""

from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from skerry.api import requests
from skerry.api.edge import Edge
from skerry.identity.authorize import authorize
from skerry.identity.roles import Target
from skerry.kernel import uploads
from skerry.kernel.errors import NotFound, TooLarge, ValidationError
from skerry.store import Blobs, Digest
from skerry.store.blobs import BlobCorrupt, parse_digest

MOST_BLOB = 8 << 30


async def blob(edge: Edge, request: Request) -> Response:
    """PUT, GET or HEAD one blob of a workspace."""
    tenant, workspace, text = (request.path_params[k] for k in ("tenant", "workspace", "digest"))
    who = await edge.principal(request)
    verb = "put" if request.method == "PUT" else "get"
    target = Target(
        provider="skerry.run/v1",
        tenant=tenant,
        workspace=workspace,
        region=edge.resources.region,
        resource=f"blobs/{text}",
    )
    authorize(who, verb, target)
    try:
        digest = parse_digest(text)
    except ValueError:
        raise ValidationError(
            f"{text[:100]!r} is not a digest", hint="Write sha256: and 64 hexadecimal digits."
        ) from None
    blobs = edge.services[Blobs]
    if verb == "put":
        return await _put(edge, request, blobs, digest, tenant, workspace)
    known = await uploads.has(edge.db, tenant, workspace, digest)
    if not known or not await blobs.has(digest):
        raise NotFound(f"{digest} was not put into this workspace")
    headers = {"content-length": str(await blobs.size(digest))}
    if request.method == "HEAD":
        return Response(headers=headers, media_type="application/octet-stream")
    where = f"skerry.run/v1/tenants/{tenant}/workspaces/{workspace}/blobs/{digest}"
    await edge.looks.tell(who, "blob", tenant=tenant, workspace=workspace, subject=where)
    return StreamingResponse(
        blobs.open(digest), headers=headers, media_type="application/octet-stream"
    )


async def _put(
    edge: Edge, request: Request, blobs: Blobs, digest: Digest, tenant: str, workspace: str
) -> Response:
    try:
        await blobs.put(_limited(request), expected=digest)
    except BlobCorrupt as error:
        raise ValidationError(str(error), hint="Upload it again.") from None
    await uploads.note(edge.db, tenant, workspace, digest)
    return Response(status_code=201)


async def _limited(request: Request) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in requests.chunks(request):
        size += len(chunk)
        if size > MOST_BLOB:
            raise TooLarge(f"a file may have at most {MOST_BLOB >> 30} GiB")
        yield chunk
