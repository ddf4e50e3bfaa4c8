"""The few fields that are read of the API's objects."""

import msgspec


class Struct(msgspec.Struct, rename="camel", frozen=True):
    pass


class Meta(Struct, frozen=True):
    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    deletion_timestamp: str | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class PodSpec(Struct, frozen=True):
    node_name: str = ""
    restart_policy: str = "Always"


class Running(Struct, frozen=True):
    started_at: str | None = None


class Waiting(Struct, frozen=True):
    reason: str = ""
    message: str = ""


class Terminated(Struct, frozen=True):
    exit_code: int = 0
    signal: int = 0
    reason: str = ""
    message: str = ""
    started_at: str | None = None
    finished_at: str | None = None


class State(Struct, frozen=True):
    running: Running | None = None
    waiting: Waiting | None = None
    terminated: Terminated | None = None


class ContainerStatus(Struct, frozen=True):
    name: str = ""
    ready: bool = False
    restart_count: int = 0
    state: State = State()
    last_state: State = State()


class Condition(Struct, frozen=True):
    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""


class PodStatus(Struct, frozen=True):
    phase: str = ""
    reason: str = ""
    message: str = ""
    pod_ip: str | None = msgspec.field(default=None, name="podIP")
    conditions: list[Condition] = []
    container_statuses: list[ContainerStatus] = []
    init_container_statuses: list[ContainerStatus] = []


class Pod(Struct, frozen=True):
    metadata: Meta = Meta()
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class ConfigMap(Struct, frozen=True):
    metadata: Meta = Meta()
    data: dict[str, str] = {}


class Bare(Struct, frozen=True):
    """Any object."""

    metadata: Meta = Meta()


class ListMeta(Struct, frozen=True):
    resource_version: str = ""
    # The API spells it as one word.
    continue_: str = msgspec.field(default="", name="continue")


class Listed(Struct, frozen=True):
    metadata: ListMeta = ListMeta()
    items: list[msgspec.Raw] = []


class Change(Struct, frozen=True):
    """One event of a watch."""

    type: str = ""
    object: msgspec.Raw = msgspec.Raw(b"{}")
