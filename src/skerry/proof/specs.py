"""The words of witnesses."""

from typing import Annotated

from msgspec import Meta

from skerry.kernel.kinds import Spec, Status

Text = Annotated[str, Meta(min_length=1, max_length=1024)]


class WitnessSpec(Spec):
    endpoint: Annotated[
        Text,
        Meta(description="Where it takes checkpoints: of a Skerry, URL/providers/skerry.proof/v1"),
    ]
    key: Annotated[Text, Meta(description="Its verifier key: skerry key --witness, there")]


class WitnessStatus(Status):
    size: Annotated[int, Meta(description="How many changes of this cloud it has cosigned")] = 0
    cosigned_at: Annotated[str, Meta(description="When it did so last")] = ""


class WitnessedLogSpec(Spec):
    key: Annotated[Text, Meta(description="The log's verifier key: skerry key, there")]


class WitnessedLogStatus(Status):
    origin: Annotated[str, Meta(description="The log's name, as its checkpoints say")] = ""
    size: Annotated[int, Meta(description="Changes under the checkpoint cosigned last")] = 0
    cosigned_at: Annotated[str, Meta(description="When that was")] = ""
    checkpoint: Annotated[str, Meta(description="That checkpoint, to be compared")] = ""
