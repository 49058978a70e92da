"""What can be done: one verb each."""

from endpoints.capacity.services.roll_up import Rolled, roll_up_day, roll_up_due

__all__ = ["Rolled", "roll_up_day", "roll_up_due"]
