"""Sizes of virtual machines as the emulator's regions offer them. A table of its own: few, but of every kind."""

from __future__ import annotations

from dataclasses import dataclass

ENDPOINTS = "MIR"
"""Managed inference: the compute type of online endpoints, as the size list names it."""
_USUAL = ("AmlCompute", "ComputeInstance", ENDPOINTS)
_TRAINING = ("AmlCompute", "ComputeInstance")


@dataclass(frozen=True, slots=True)
class Size:
    name: str
    family: str
    vcpus: int
    gpus: int
    memory_gb: float
    price: float | None
    """US dollars an hour on Linux in a region whose factor is 1; None where no price is known."""
    skips_reserve: bool = False
    """Whether Azure reserves no further 20 percent of quota for it."""
    compute_types: tuple[str, ...] = _USUAL
    regions: tuple[str, ...] = ()
    """Where it is offered; nowhere named is everywhere."""


_T4, _V100, _A100, _H100 = (
    "standardNCASv3_T4Family",
    "standardNCSv3Family",
    "standardNCADSA100v4Family",
    "standardNCADSH100v5Family",
)
_TABLE = (
    Size("Standard_DS1_v2", "standardDSv2Family", 1, 0, 3.5, 0.073, compute_types=_TRAINING),
    Size("Standard_DS2_v2", "standardDSv2Family", 2, 0, 7.0, 0.146),
    Size("Standard_DS3_v2", "standardDSv2Family", 4, 0, 14.0, 0.293),
    Size("Standard_DS4_v2", "standardDSv2Family", 8, 0, 28.0, 0.585),
    Size("Standard_DS5_v2", "standardDSv2Family", 16, 0, 56.0, 1.17),
    Size("Standard_F2s_v2", "standardFSv2Family", 2, 0, 4.0, 0.0846),
    Size("Standard_F4s_v2", "standardFSv2Family", 4, 0, 8.0, 0.169),
    Size("Standard_F8s_v2", "standardFSv2Family", 8, 0, 16.0, 0.338),
    Size("Standard_F16s_v2", "standardFSv2Family", 16, 0, 32.0, 0.677),
    Size("Standard_E2s_v3", "standardESv3Family", 2, 0, 16.0, None),
    Size("Standard_E4s_v3", "standardESv3Family", 4, 0, 32.0, None),
    Size("Standard_D4as_v4", "standardDASv4Family", 4, 0, 16.0, None),
    Size("Standard_M64s", "standardMSFamily", 64, 0, 1024.0, 6.669, compute_types=("AmlCompute",)),
    Size("Standard_NC4as_T4_v3", _T4, 4, 1, 28.0, 0.526),
    Size("Standard_NC8as_T4_v3", _T4, 8, 1, 56.0, 0.752),
    Size("Standard_NC16as_T4_v3", _T4, 16, 1, 110.0, 1.204),
    Size("Standard_NC64as_T4_v3", _T4, 64, 4, 440.0, 4.352),
    Size("Standard_NC6s_v3", _V100, 6, 1, 112.0, 3.06),
    Size("Standard_NC12s_v3", _V100, 12, 2, 224.0, 6.12),
    Size("Standard_NC24ads_A100_v4", _A100, 24, 1, 220.0, 3.673, skips_reserve=True),
    Size("Standard_NC48ads_A100_v4", _A100, 48, 2, 440.0, 7.346, skips_reserve=True),
    Size(
        "Standard_NC40ads_H100_v5",
        _H100,
        40,
        1,
        320.0,
        6.98,
        skips_reserve=True,
        regions=("eastus", "eastus2", "swedencentral"),
    ),
)
_BY_NAME = {size.name.lower(): size for size in _TABLE}
FACTORS = {
    "eastus": 1.0,
    "eastus2": 0.97,
    "northeurope": 1.09,
    "swedencentral": 1.06,
    "westeurope": 1.18,
    "uksouth": 1.16,
}
"""By how much a region is dearer than the cheapest. A region without one has sizes, but no prices."""


def find(name: str) -> Size | None:
    """A size by its name, which compares without regard to case."""
    return _BY_NAME.get(name.lower())


def offered(region: str) -> list[Size]:
    return [size for size in _TABLE if not size.regions or region in size.regions]


def families() -> list[str]:
    return list(dict.fromkeys(size.family for size in _TABLE))


def region_key(region: str) -> str:
    """`West Europe` and `westeurope` are one region."""
    return region.replace(" ", "").lower()
