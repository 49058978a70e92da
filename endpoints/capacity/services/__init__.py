"""What can be done: one verb each."""

from endpoints.capacity.services.read_autoscale import read_autoscale
from endpoints.capacity.services.roll_up import Rolled, roll_up_day, roll_up_due

__all__ = ["Rolled", "read_autoscale", "roll_up_day", "roll_up_due"]
