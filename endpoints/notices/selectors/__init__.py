"""Reads, as frozen rows. Callers ask for rights before."""

from endpoints.notices.selectors.channels import (
    PAGE,
    ChannelPage,
    DeliveryPage,
    channel,
    channels,
    deliveries,
)
from endpoints.notices.selectors.means import Means, means

__all__ = ["PAGE", "ChannelPage", "DeliveryPage", "Means", "channel", "channels", "deliveries", "means"]
