"""The filters on what many offers share, each tested once for a group."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from skerry.market import gpus
from skerry.market.ask import EVIDENCE, ISOLATIONS, Ask
from skerry.market.columns import NAMELESS, Ints, Names, Tables
from skerry.market.policy import Policy
from skerry.market.prices import mebibytes
from skerry.market.reasons import Reason

Bools = NDArray[np.bool_]


def accepted_isolations(ask: Ask, policy: Policy) -> int:
    """The isolations strong enough for both, as a group's bits."""
    weakest = max(ISOLATIONS.index(ask.isolation), ISOLATIONS.index(policy.isolation))
    return (1 << len(ISOLATIONS)) - (1 << weakest)


def listed(names: Names, wanted: tuple[str, ...]) -> Bools:
    """For each name, whether it is one of those."""
    table = np.zeros(len(names), np.bool_)
    table[names.find(wanted)] = True
    return table


def refuse_groups(ask: Ask, tables: Tables, policy: Policy) -> Ints:
    """For each group the filters it fails, as bits by ``Reason``."""
    columns, names = tables.groups.columns(), tables.names
    failed = np.zeros(len(tables.groups.list), np.int64)

    def refuse(reason: Reason, bad: Bools) -> None:
        np.bitwise_or(failed, bad * np.int64(1 << reason), out=failed)

    if ask.gpus and (ask.gpu_models or tables.groups.parts):
        refuse(Reason.GPU_MODEL, ~_serving_models(ask, tables))
    if ask.gpus and ask.gpu_memory:
        refuse(Reason.GPU_MEMORY, columns["gpu_memory"] < mebibytes(ask.gpu_memory))
    refuse(Reason.ISOLATION, (columns["isolations"] & accepted_isolations(ask, policy)) == 0)
    refuse(Reason.CURRENCY, ~listed(names, (ask.currency,))[columns["currency"]])
    _refuse_jurisdictions(refuse, columns["jurisdiction"], names, policy)
    if policy.tier:
        refuse(Reason.TRUST_TIER, columns["tier"] < policy.tier)
    if policy.evidence != EVIDENCE[0]:
        refuse(Reason.EVIDENCE, columns["evidence"] < EVIDENCE.index(policy.evidence))
    if ask.regions:
        refuse(Reason.REGION, ~listed(names, ask.regions)[columns["region"]])
    if tables.groups.closed:
        refuse(Reason.CLOSED, columns["closed"] != NAMELESS)
    if tables.groups.spot and not ask.spot:
        refuse(Reason.SPOT, columns["spot"] != 0)
    fixed = columns["divisible"] == 0
    for name, need in needs(ask):
        refuse(Reason.SHAPE, fixed & (columns[name] < need))
    return failed


def needs(ask: Ask) -> tuple[tuple[str, int], ...]:
    """What each task takes: (column, amount in the column's unit). What it takes nothing of is left
    out: it does not matter how much of that there is, not even whether it is known."""
    amounts = (
        ("millicores", ask.millicores),
        ("memory", mebibytes(ask.memory)),
        ("disk", mebibytes(ask.disk) + mebibytes(ask.storage)),
        ("gpus", ask.gpus),
    )
    return tuple((name, amount) for name, amount in amounts if amount)


def _serving_models(ask: Ask, tables: Tables) -> Bools:
    """For each group, whether its devices are of a sort that will do."""
    names, columns = tables.names.list, tables.groups.columns()
    table = np.zeros(len(names), np.bool_)
    asked = ask.gpu_models
    if asked:
        known = tables.groups.gpus
        table[[code for code in known if gpus.serves(asked, names[code], "")]] = True
    else:
        table[:] = True
    found: Bools = table[columns["gpu"]]
    for index in tables.groups.parts:
        group = tables.groups.list[index]
        found[index] = gpus.serves(asked, names[group.gpu], names[group.mark])
    return found


def _refuse_jurisdictions(
    refuse: Callable[[Reason, Bools], None], column: Ints, names: Names, policy: Policy
) -> None:
    if policy.allowed is None and not policy.forbidden:
        return
    unknown = listed(names, ("",))[column]
    refuse(Reason.JURISDICTION_UNKNOWN, unknown)
    bad = listed(names, policy.forbidden)[column]
    if policy.allowed is not None:
        bad |= ~listed(names, policy.allowed)[column]
    refuse(Reason.JURISDICTION, bad & ~unknown)
