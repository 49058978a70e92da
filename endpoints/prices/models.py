"""Sizes, prices and quota of a subscription in a region. Prices are only ever added; the others are the newest word.

Subscriptions, regions and names are lower case. NULL is what Azure does not say, never 0.
"""

from __future__ import annotations

from django.db import models

from endpoints.core.money import Money


class Placed(models.Model):
    """What Azure says of one subscription in one region."""

    subscription = models.TextField()
    region = models.TextField()

    class Meta:
        abstract = True


class SkuSize(Placed):
    """A size of machines, as it was at `seen_at`. `missing_since`: a complete list did not have it any more.

    `price_note` says why there is no price, where there is none.
    """

    name = models.TextField()
    label = models.TextField()
    family = models.TextField(default="")
    vcpus = models.IntegerField(null=True)
    gpus = models.IntegerField(null=True)
    memory_gb = models.FloatField(null=True)
    for_endpoints = models.BooleanField()
    price_note = models.TextField(default="")
    seen_at = models.DateTimeField()
    missing_since = models.DateTimeField(null=True)

    class Meta:
        db_table = "prices_sku_size"
        constraints = (
            models.UniqueConstraint(fields=("subscription", "region", "name"), name="prices_size_once"),
        )

    def __str__(self) -> str:
        return f"{self.label} in {self.region}"


class SkuPrice(Placed):
    """The price of an instance and hour that began between `earliest` and `seen_at`; a row for each that is new.

    `earliest` NULL: nothing was read before. `amount` NULL: there was a price, and from then on Azure named none.
    A size that never had a price has no row. `source` tells Azure's lists of prices apart; `effective_at` is since when
    the retail list itself says that a price counts.
    """

    sku = models.TextField()
    amount = models.DecimalField(max_digits=20, decimal_places=10, null=True)
    currency = models.TextField(default="")
    source = models.TextField()
    earliest = models.DateTimeField(null=True)
    seen_at = models.DateTimeField()
    effective_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "prices_sku_price"
        constraints = (
            models.UniqueConstraint(
                fields=("subscription", "region", "sku", "source", "seen_at"), name="prices_price_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.sku} in {self.region}: {self.money or 'no price'}"

    @property
    def money(self) -> Money | None:
        return None if self.amount is None else Money(self.amount, self.currency)


class RetailSize(Placed):
    """What the retail price list said of a size in use, last at `seen_at`. `note`: why it has no price there, or ""."""

    name = models.TextField()
    note = models.TextField(default="")
    seen_at = models.DateTimeField()

    class Meta:
        db_table = "prices_retail_size"
        constraints = (
            models.UniqueConstraint(fields=("subscription", "region", "name"), name="prices_retail_once"),
        )

    def __str__(self) -> str:
        return f"retail price of {self.name} in {self.region}"


class Quota(Placed):
    """How much of a quota was used at `read_at`, in `unit`. `limit` NULL: Azure sets none.

    `family` is "" for what counts several families: the label says what.
    """

    family = models.TextField()
    label = models.TextField()
    used = models.BigIntegerField()
    limit = models.BigIntegerField(null=True)
    unit = models.TextField(default="")
    read_at = models.DateTimeField()

    class Meta:
        db_table = "prices_quota"
        constraints = (
            models.UniqueConstraint(
                fields=("subscription", "region", "family", "label"), name="prices_quota_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.label} in {self.region}: {self.used} of {self.limit}"


class PriceReading(Placed):
    """When each part of a place was read last, when it is due again, and what went wrong, in words.

    A reason can stand beside a reading: then the list had items that could not be understood.
    """

    sizes_due_at = models.DateTimeField()
    sizes_read_at = models.DateTimeField(null=True)
    sizes_failed_at = models.DateTimeField(null=True)
    sizes_reason = models.TextField(default="")
    quotas_due_at = models.DateTimeField()
    quotas_read_at = models.DateTimeField(null=True)
    quotas_failed_at = models.DateTimeField(null=True)
    quotas_reason = models.TextField(default="")
    retail_due_at = models.DateTimeField()
    retail_read_at = models.DateTimeField(null=True)
    retail_failed_at = models.DateTimeField(null=True)
    retail_reason = models.TextField(default="")

    class Meta:
        db_table = "prices_reading"
        constraints = (
            models.UniqueConstraint(fields=("subscription", "region"), name="prices_reading_once"),
        )

    def __str__(self) -> str:
        return f"prices of {self.subscription} in {self.region}"
