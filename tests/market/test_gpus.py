"""GPU names as everybody writes them."""

import pytest

from skerry.market.gpus import same


@pytest.mark.parametrize(
    ("asked", "offered", "serves"),
    [
        ("H100", "NVIDIA H100 80GB HBM3", True),
        ("h100", "H100-SXM5-80GB", True),
        ("H100-NVL", "NVIDIA H100 NVL", True),
        ("H100-NVL", "H100-MEGA", False),
        ("A100-80G", "A100-80GB", True),
        ("A100", "NVIDIA A100-SXM4-80GB", True),
        ("A100-80GB", "A100", False),
        ("RTX 3060", "NVIDIA GeForce RTX 3060", True),
        ("RTX 3060", "NVIDIA GeForce RTX 3060 Ti", False),
        ("RTX3060", "RTX_3060", True),
        ("A6000", "NVIDIA RTX A6000", True),
        ("RTX 6000 Ada", "RTX6000Ada", True),
        ("RTX6000", "RTX6000Ada", False),
        ("RTXPRO6000", "RTXPro6000", True),
        ("V520", "Radeon Pro V520", False),
        ("Radeon Pro V520", "AMD Radeon Pro V520", True),
        ("MI300X", "AMD Instinct MI300X OAM", True),
        ("T4", "T4g", False),
        ("H100", "", False),
        ("", "", False),
    ],
)
def test_names(asked, offered, serves):
    assert same(asked, offered) is serves
