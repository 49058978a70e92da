"""Measurements with bars: `python3 dev.py bench NAME` runs `bench/NAME.py` and judges its figures.

A measurement is a module with `measure()`, which returns figures. Each figure stands beside a yardstick from
the same run where there is one: other machines are slower, ratios travel.
"""

from bench.figures import Figure

__all__ = ["Figure"]
