"""Sizes of machines, their prices, and quota: Azure Machine Learning's own documents to records. Pure.

They want a document whose fractions are Decimals (`Answer.document(exact=True)`): no amount is ever a float.
The two lists spell families differently ("standardDSv2Family", "Standard DSv2 Family Cluster Dedicated
vCPUs"), so both are brought to one spelling.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from endpoints.azure_gateway.errors import Malformed
from endpoints.azure_gateway.records import UsageRecord, VmPrice, VmSizeRecord

# What supportedComputeTypes calls realtime endpoints: managed inference.
_INFERENCE = "MIR"
_VM_FAMILY = "microsoft.machinelearningservices/vmfamily/usages"
# More than any size has, or costs: what lies beyond is no number to reckon with.
_LARGEST = Decimal(10) ** 9


def vm_size(document: Any) -> VmSizeRecord:
    """One size; Malformed when it has no name or a number that can't be."""
    read = Fields(document, "size")
    name = read.text("name")
    if not name:
        raise Malformed("size", "it has no name")
    types = read.of("supportedComputeTypes", list) or []
    memory = read.number("memoryGB")
    return VmSizeRecord(
        name=name,
        family=family_key(read.text("family")),
        vcpus=read.count("vCPUs"),
        gpus=read.count("gpus"),
        memory_gb=None if memory is None else float(memory),
        for_endpoints=_INFERENCE in types,
        prices=_prices(read.of("estimatedVMPrices", Mapping)),
    )


def usage(document: Any) -> UsageRecord:
    """One count and its limit; Malformed when either can't be told."""
    read = Fields(document, "usage")
    name = Fields(read.of("name", Mapping) or {}, "name of a usage")
    value, used, limit = name.text("value"), read.whole("currentValue"), read.whole("limit")
    if not value or used is None or used < 0 or limit is None:
        raise Malformed("usage", f"{value!r} counts {used!r} of {limit!r}")
    label = name.text("localizedValue") or value
    return UsageRecord(
        family=family_key(value) if _dedicated_family(read.text("type"), f"{value} {label}") else "",
        label=label,
        used=used,
        limit=None if limit < 0 else limit,
        unit=read.text("unit"),
    )


def of_subscription(document: Any) -> bool:
    """Whether a usage counts for the whole subscription, not for one workspace or cluster in it."""
    identifier = document.get("id") if isinstance(document, Mapping) else None
    return "/workspaces/" not in str(identifier or "").lower()


def family_key(name: str) -> str:
    """One spelling for a family of sizes: "standarddsv2family". "" stays ""."""
    plain = name.lower().replace(" ", "").replace("_", "")
    head, found, _ = plain.partition("family")
    return head + found


def _dedicated_family(kind: str, names: str) -> bool:
    return kind.lower() == _VM_FAMILY and "lowpriority" not in names.lower().replace(" ", "")


def _prices(document: Mapping[str, Any] | None) -> tuple[VmPrice, ...]:
    """Every price that has an amount. Two for the same machine would leave open which one holds: Malformed."""
    if document is None:
        return ()
    read = Fields(document, "price")
    currency, unit = read.text("billingCurrency"), read.text("unitOfMeasure")
    prices = [_price(Fields(value, "price"), currency, unit) for value in read.of("values", list) or []]
    known = tuple(price for price in prices if price is not None)
    if known and not (currency and unit):
        raise Malformed("price", "it has no currency or no unit")
    if len({(price.os.lower(), price.tier.lower()) for price in known}) < len(known):
        raise Malformed("price", "one machine has two of them")
    return known


def _price(read: Fields, currency: str, unit: str) -> VmPrice | None:
    amount = read.number("retailPrice")
    if amount is None:
        return None
    return VmPrice(read.text("osType"), read.text("vmTier"), amount, currency, unit)


class Fields:
    """Typed access to one document. Null and absent are the same; a wrong type is Malformed."""

    def __init__(self, document: Any, item: str) -> None:
        if not isinstance(document, Mapping):
            raise Malformed(item, "it is not an object")
        self._document, self._item = document, item

    def of(self, name: str, kind: type) -> Any:
        value = self._document.get(name)
        if value is not None and not isinstance(value, kind):
            raise Malformed(self._item, f"{name} is {type(value).__name__}, not {kind.__name__}")
        return value

    def text(self, name: str) -> str:
        return self.of(name, str) or ""

    def number(self, name: str) -> Decimal | None:
        """A number that something can weigh or cost, as exact as it came."""
        value = self._document.get(name)
        if value is None:
            return None
        # A float here is NaN or Infinity, which JSON does not know and Python reads: anything else is a Decimal.
        if (
            isinstance(value, (bool, float))
            or not isinstance(value, (int, Decimal))
            or not 0 <= value < _LARGEST
        ):
            raise Malformed(self._item, f"{name} is {str(value)[:40]!r}, not a number that can be")
        return Decimal(value)

    def whole(self, name: str) -> int | None:
        value = self._document.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise Malformed(self._item, f"{name} is {str(value)[:40]!r}, not a whole number")
        return value

    def count(self, name: str) -> int | None:
        value = self.whole(name)
        if value is not None and value < 0:
            raise Malformed(self._item, f"{name} is {value}, less than none")
        return value
