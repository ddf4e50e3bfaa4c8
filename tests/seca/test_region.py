"""Region.V1: list and get."""

from .conftest import REGION, REGIONS, Seca


async def test_regions_are_listed_and_shown(seca: Seca):
    (page,) = await seca.pages(REGIONS)
    assert page["metadata"] == {
        "provider": "seca.region/v1",
        "resource": "regions",
        "verb": "GET",
    }
    first = page["items"][0]["metadata"]["name"]
    assert first == REGION
    region = await seca.get(f"{REGIONS}/{first}")
    metadata = region["metadata"]
    assert (
        metadata
        | {
            "name": REGION,
            "provider": "seca.region/v1",
            "resource": f"regions/{REGION}",
            "ref": f"seca.region/v1/regions/{REGION}",
            "apiVersion": "v1",
            "verb": "GET",
            "kind": "region",
        }
        == metadata
    )
    assert "tenant" not in metadata
    assert "status" not in region
    assert region["spec"]["availableZones"] == ["north-1"]
    assert region["spec"]["providers"][0]["name"] == "seca.workspace"


async def test_where_the_global_providers_are(seca: Seca):
    """The well-known document needs no token."""
    seca.http.headers.pop("authorization")
    known = (await seca.http.get("/.wellknown/secapi")).json()
    assert known["version"] == "v1"
    assert {entry["provider"] for entry in known["endpoints"]} == {
        "seca.region/v1",
        "seca.authorization/v1",
    }
