"""Names of GPU models, which everybody writes differently.

NVML says ``NVIDIA A100-SXM4-80GB``, price lists ``A100-80G``, people ``a100``. A name is read as a
*base* (``A100``) and *variants* (form factor and memory: ``SXM4``, ``80G``). Who asks for ``A100``
takes any of them; who asks for ``H100-NVL`` takes only that. Bases must be equal, so ``RTX 3060``
never means ``RTX 3060 Ti``.

Parts of devices carry a *mark*, the profile of a slice or ``shared``. They serve only who names the
mark: an ask for ``A100``, or for any GPU, is for whole ones.
"""

import re
from functools import lru_cache
from typing import NamedTuple

_VENDOR = frozenset(
    ("NVIDIA", "AMD", "INTEL", "GEFORCE", "TESLA", "QUADRO", "INSTINCT", "RADEON", "GPU")
)
_VARIANT = re.compile(r"SXM\d*|PCIE|NVL|NVLINK|MEGA|HBM\d*E?|\d+GI?B?|OAM|HGX|DGX")
_SPLIT = re.compile(r"[\s_/-]+")
_WORDS = re.compile(r"[\s_]+")


class Model(NamedTuple):
    base: str
    variants: frozenset[str]


@lru_cache(maxsize=4096)
def parse(name: str) -> Model:
    """Read a model's name; ``Model("", frozenset())`` for none."""
    base, variants = "", set()
    for word in _SPLIT.split(name.upper()):
        if base and _VARIANT.fullmatch(word):
            variants.add(re.sub(r"(\d+)GI?B?", r"\1G", word))
        elif word not in _VENDOR:
            base += word
    # "RTX A6000" and "A6000" are one card; "RTX 6000 Ada" is another and keeps its prefix.
    return Model(re.sub(r"^RTX(?=A\d)", "", base), frozenset(variants))


@lru_cache(maxsize=65536)
def same(asked: str, offered: str) -> bool:
    """Whether a card called ``offered`` serves somebody who asked for ``asked``."""
    want, have = parse(asked), parse(offered)
    return bool(have.base) and want.base == have.base and want.variants <= have.variants


@lru_cache(maxsize=4096)
def serves(asked: tuple[str, ...], offered: str, mark: str) -> bool:
    """Whether what is ``offered`` serves somebody who will take any of those ``asked`` for, or, of
    none, any whole device."""
    if not asked:
        return not mark
    needed = set(mark.upper().split())
    return any(same(one, offered) and needed <= set(_WORDS.split(one.upper())) for one in asked)
