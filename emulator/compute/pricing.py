"""`estimatedVMPrices` of a size in a region: four prices of a made-up list, or nothing where none is known."""

from __future__ import annotations

from emulator.compute.sizes import FACTORS, Size
from emulator.values import Json

_LOW_PRIORITY = 0.2
_WINDOWS_A_CORE = 0.046


def estimated(size: Size, region: str) -> Json | None:
    factor = FACTORS.get(region)
    if size.price is None or factor is None:
        return None
    linux = size.price * factor
    windows = linux + _WINDOWS_A_CORE * size.vcpus
    return {
        "billingCurrency": "USD",
        "unitOfMeasure": "OneHour",
        "values": [
            _value(windows, "Windows", "Standard"),
            _value(linux * _LOW_PRIORITY, "Linux", "LowPriority"),
            _value(linux, "Linux", "Standard"),
            _value(windows * _LOW_PRIORITY, "Windows", "LowPriority"),
        ],
    }


def _value(price: float, system: str, tier: str) -> Json:
    return {"retailPrice": round(price, 4), "osType": system, "vmTier": tier}
