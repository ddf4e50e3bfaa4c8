"""Every page of the console, in one place: what looks at all of them asks here."""

from datetime import UTC, datetime
from typing import NamedTuple


class Page(NamedTuple):
    name: str
    """Of its pictures."""
    path: str
    """Below ``/console/``."""
    ready: str
    """A selector of what is seen once the page has what it shows."""
    who: str = "ann"
    """Who looks at it: ``operator``, ``ann`` (may do all in acme), ``bob`` (may only look), or
    nobody."""
    then: tuple[str, ...] = ()
    """Selectors of what is clicked first, one after the other."""


LAB, HOME = "acme/lab", "operator/default"
INVOICE = f"{datetime.now(UTC):%Y}-000001"
PAGES = (
    Page("sign-in", "sign-in", "button:has-text('Sign in')", who=""),
    Page("overview", f"{LAB}/overview", "text=train"),
    Page("overview-operator", f"{HOME}/overview", "text=harbour", who="operator"),
    Page("jobs", f"{LAB}/kinds/job", "text=survey"),
    Page("job", f"{LAB}/kinds/job/survey", "text=succeeded"),
    Page("places", f"{LAB}/places", "text=falkenberg >> nth=1"),
    Page("place", f"{LAB}/places/falkenberg", "text=Free now"),
    Page("place-operator", f"{HOME}/places/home-1", "text=Machines", who="operator"),
    Page("machines", f"{HOME}/places/oslo", "text=rack-2", who="operator"),
    Page(
        "join",
        f"{HOME}/places/oslo",
        "text=Run this there, as root",
        who="operator",
        then=("button:has-text('Add a machine')", "button:has-text('Show its command')"),
    ),
    Page(
        "drain",
        f"{HOME}/places/oslo",
        "text=Drain rack-2?",
        who="operator",
        then=("[aria-label='Drain rack-2']",),
    ),
    Page("host", f"{HOME}/kinds/host/oslo/rack-1", "text=connected", who="operator"),
    Page("settings", f"{LAB}/settings", "text=For programs"),
    Page("missing", f"{LAB}x/kinds/job", "text=There is no workspace"),
    Page("kinds", f"{LAB}/kinds", "text=Schedules"),
    Page("billing", f"{LAB}/billing", "text=of 100.00"),
    Page("invoices", f"{LAB}/billing/invoices", f"text={INVOICE}"),
    Page("invoice", f"{LAB}/kinds/invoice/{INVOICE}", "text=wire 4711"),
    Page("prices", f"{LAB}/billing/prices", "text=A GPU, H100"),
    Page("terms", f"{LAB}/billing/terms", "text=Who pays"),
    Page("terms-operator", f"{LAB}/billing/terms", "text=Who is paid", who="operator"),
    Page("revenue", f"{LAB}/billing/revenue", f"text={INVOICE} >> nth=1", who="operator"),
    Page("audit", f"{LAB}/audit", "a:has-text('Check')"),
    Page("people", f"{LAB}/people", "text=Invite somebody"),
    Page("people-access", f"{LAB}/people?tab=access", "text=do everything, with users and roles"),
    Page("people-programs", f"{LAB}/people?tab=programs", "text=Create service account"),
    Page("people-mine", f"{LAB}/people?tab=mine", "text=this one"),
    Page("audit-entry", f"{LAB}/audit/20", "text=Yes: it stands there"),
    Page("create", f"{LAB}/create", "text=NVIDIA H100"),
    Page("create-job", f"{LAB}/create/job?name=shown&command=true", "[data-testid=price]"),
    Page("create-policy", f"{LAB}/create/policy?name=shown", "text=Jurisdictions"),
    Page("change", f"{LAB}/kinds/service/map?tab=change", "text=Now 0."),
    Page("logs", f"{LAB}/kinds/job/survey?tab=logs", "text=step 40 of 40"),
    Page("terminal", f"{LAB}/kinds/job/tides?tab=terminal", "text=A shell, one click away"),
    Page("metrics", f"{LAB}/kinds/job/tides?tab=metrics", "[aria-label='How far back']"),
    Page("placement", f"{LAB}/kinds/job/train?tab=placement", "text=Rules that held"),
    Page("receipt", f"{LAB}/kinds/job/survey?tab=receipt", "button:has-text('Verify')"),
    Page(
        "verified",
        f"{LAB}/kinds/job/survey?tab=receipt",
        "text=Everything in it holds",
        then=("button:has-text('Verify')",),
    ),
    Page("events", f"{LAB}/kinds/job/survey?tab=events", "a:has-text('Check')"),
    Page("service", f"{LAB}/kinds/service/map", "button:has-text('Roll back')"),
)
