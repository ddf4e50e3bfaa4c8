"""The kinds of proof: who watches this cloud's log, and whose logs it watches."""

from skerry.kernel.kinds import Column, Kind
from skerry.proof.hooks import WitnessedLogHooks, WitnessHooks
from skerry.proof.specs import (
    WitnessedLogSpec,
    WitnessedLogStatus,
    WitnessSpec,
    WitnessStatus,
)

PROVIDER = "skerry.proof"
_FAR = (Column("CHANGES", "status.size"), Column("COSIGNED", "status.cosignedAt"))

WITNESS = Kind(
    provider=PROVIDER,
    collection="witnesses",
    noun="witness",
    operator_only=True,
    summary="Another operator who cosigns this cloud's checkpoints",
    parent="global",
    spec=WitnessSpec,
    status=WitnessStatus,
    hooks=WitnessHooks(),
    regional=False,
    columns=(Column("ENDPOINT", "spec.endpoint"), *_FAR),
)

WITNESSED_LOG = Kind(
    provider=PROVIDER,
    collection="witnessed-logs",
    noun="witnessed-log",
    operator_only=True,
    summary="Another operator's log, whose checkpoints this cloud cosigns",
    parent="global",
    spec=WitnessedLogSpec,
    status=WitnessedLogStatus,
    hooks=WitnessedLogHooks(),
    regional=False,
    columns=(Column("ORIGIN", "status.origin"), *_FAR),
)

KINDS = [WITNESS, WITNESSED_LOG]
