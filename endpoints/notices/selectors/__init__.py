"""Reads, as frozen rows. Callers ask for rights before."""

from endpoints.notices.selectors.channels import (
    PAGE,
    ChannelPage,
    DeliveryPage,
    channel,
    channels,
    deliveries,
)

__all__ = ["PAGE", "ChannelPage", "DeliveryPage", "channel", "channels", "deliveries"]
