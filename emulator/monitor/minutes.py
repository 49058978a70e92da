"""What one deployment went through, minute by minute: requests, how they ended, latency, instances.

A pure function of seed, history, model, load and what was really counted. Everything is computed for a whole
window at once and only when it is asked for: a batch of fifty endpoints must not take seconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from emulator.models import Model
from emulator.monitor import rhythm
from emulator.monitor.counted import Outcome, Tally
from emulator.monitor.history import Standing
from emulator.monitor.load import Spell
from emulator.monitor.runs import Run, between, runs, spread
from emulator.monitor.window import Window
from emulator.values import seconds

Counts = list[int]
Values = list[float | None]

OK: Outcome = (200, 200)
THROTTLED: Outcome = (429, None)
TIMED_OUT: Outcome = (408, None)
BAD_REQUEST: Outcome = (424, 400)
_BAD_REQUESTS = 0.0004
"""Share of callers that send what the scoring script refuses."""
PERCENTILES = {"p50": 0.0, "p90": 1.2816, "p95": 1.6449, "p99": 2.3263}
_NOISE = 0.12


def demanded(rpm: float, shape: Sequence[float], *, seed: int, place: int, window: Window) -> list[float]:
    """Requests a minute that the world sends to an endpoint, before any split."""
    if not rpm:
        return [0.0] * window.count
    factors = rhythm.looped(shape, window.start, window.count)
    noise = rhythm.looped(rhythm.wobble(seed, 0.25), window.start + place, window.count)
    return [rpm * factor * wobble for factor, wobble in zip(factors, noise, strict=True)]


@dataclass
class Minutes:
    """One deployment over one window. Lists have one item a minute."""

    window: Window
    seed: int
    place: int
    model: Model
    demand: list[float]
    weights: list[tuple[float, float]]
    """Changes `(at, share of the demand)`, live and mirrored together, in order of time."""
    standings: list[Standing]
    spells: tuple[Spell, ...] = ()
    counted: Mapping[int, Tally] = field(default_factory=dict)

    @cached_property
    def existing(self) -> list[Run]:
        """Instances, over the minutes in which the deployment stood."""
        return [run for run in self._runs((s.at, float(s.instances)) for s in self.standings) if run[2] > 0]

    @cached_property
    def serving(self) -> list[Run]:
        """Instances that answer."""
        changes = ((s.at, float(s.instances if s.serves else 0)) for s in self.standings)
        return [run for run in self._runs(changes) if run[2] > 0]

    @cached_property
    def asked(self) -> list[Run]:
        """The share of the demand, over the minutes in which the deployment served and had a weight."""
        return [run for run in self._runs(self._shares()) if run[2] > 0]

    @cached_property
    def offered(self) -> Counts:
        """Requests sent to the deployment."""
        counts = [0] * self.window.count
        dice = self._dice("offered")
        for first, last, share in self.asked:
            counts[first:last] = [
                int(wanted * share + die)
                for wanted, die in zip(self.demand[first:last], dice[first:last], strict=True)
            ]
        for i, part in self.window.parts():
            counts[i] = int(counts[i] * part)
        return counts

    @cached_property
    def requests(self) -> Counts:
        """The same with those that were really sent to this emulator."""
        counts = self.offered
        if self.counted:
            counts = counts.copy()
            for i, tally in self.counted.items():
                counts[i] += tally.requests
        return counts

    @cached_property
    def carried(self) -> list[float]:
        """Requests a minute that the instances can answer."""
        one = carried_by(self.model, self._concurrency())
        return spread(((a, b, one * n) for a, b, n in self.serving), self.window.count)

    @cached_property
    def load(self) -> list[float]:
        """How busy the instances are: 1 is all that they carry."""
        return [
            min(wanted / carried, 1.3) if carried else 0.0
            for wanted, carried in zip(self.requests, self.carried, strict=True)
        ]

    @cached_property
    def outcomes(self) -> dict[Outcome, Counts]:
        """Requests by how they ended; together they are `requests`."""
        left, found = self._throttled(self.offered)
        for outcome, rates in self._failures():
            failed = self._share(left, outcome, rates)
            if any(failed):
                found[outcome] = [
                    a + b for a, b in zip(found.get(outcome, [0] * len(failed)), failed, strict=True)
                ]
                left = [a - b for a, b in zip(left, failed, strict=True)]
        found[OK] = left if OK not in found else [a + b for a, b in zip(found[OK], left, strict=True)]
        return self._with_counted(found)

    @cached_property
    def strain(self) -> list[float]:
        """The factor on every latency: load, noise, and bad times."""
        noise = rhythm.looped(
            rhythm.wobble(self.seed, _NOISE), self.window.start + self.place, self.window.count
        )
        factors = [(1.0 + busy * busy) * wobble for busy, wobble in zip(self.load, noise, strict=True)]
        for spell in self.spells:
            self._worsen(factors, spell)
        return factors

    def latency(self, which: str) -> Values:
        """Milliseconds for `mean` or a percentile such as `p95`; None in a minute without a request."""
        usual = self._usual(which)
        values: Values = [usual * factor for factor in self.strain]
        if 0 in self.offered:
            values = [value if sent else None for value, sent in zip(values, self.offered, strict=True)]
        for i, tally in self.counted.items():
            if tally.latencies:
                values[i] = _mixed(values[i], self.offered[i], _counted(tally, which), tally.requests)
        return values

    def only_asked(self, counts: Sequence[float | None]) -> Values:
        """None in the minutes in which the split gave this deployment nothing and nobody named it."""
        values = self.only(self.asked, counts)
        for i in self.counted:
            values[i] = counts[i]
        return values

    def only(self, where: list[Run], values: Sequence[float | None]) -> Values:
        """The values inside these runs, None elsewhere."""
        if sum(last - first for first, last, _ in where) == self.window.count:
            return list(values)
        found: Values = [None] * self.window.count
        for first, last, _ in where:
            found[first:last] = values[first:last]
        return found

    @property
    def body(self) -> Mapping[str, object]:
        """The properties that it had last in this window."""
        before = [
            s for s in self.standings if s.exists and s.at < 60 * (self.window.start + self.window.count)
        ]
        return before[-1].body if before else {}

    def _runs(self, changes: Iterable[tuple[float, float]]) -> list[Run]:
        end = 60.0 * (self.window.start + self.window.count)
        return runs(between(changes, end), self.window.start, self.window.count)

    def _shares(self) -> list[tuple[float, float]]:
        """Weights, but 0 while the deployment does not serve."""
        moments = sorted({at for at, _ in self.weights} | {standing.at for standing in self.standings})
        weights, standings = list(self.weights), list(self.standings)
        share, serves = 0.0, False
        found = []
        for at in moments:
            while weights and weights[0][0] <= at:
                share = weights.pop(0)[1]
            while standings and standings[0].at <= at:
                serves = standings.pop(0).serves
            found.append((at, share if serves else 0.0))
        return found

    def _concurrency(self) -> int:
        settings = self.body.get("requestSettings")
        told = settings.get("maxConcurrentRequestsPerInstance") if isinstance(settings, dict) else None
        return int(told or 1)

    def _dice(self, what: object) -> list[float]:
        start = self.window.start + rhythm.place(self.place, what)
        return rhythm.looped(rhythm.uniform(self.seed), start, self.window.count)

    def _throttled(self, sent: Counts) -> tuple[Counts, dict[Outcome, Counts]]:
        """What is above that which the instances carry comes back as 429."""
        if not any(a > b for a, b in zip(sent, self.carried, strict=True)):
            return sent, {}
        above = [max(int(a - b), 0) for a, b in zip(sent, self.carried, strict=True)]
        return [a - b for a, b in zip(sent, above, strict=True)], {THROTTLED: above}

    def _failures(self) -> list[tuple[Outcome, list[Run]]]:
        """Rates of every way to fail, over the minutes in which it was so."""
        whole = self.window.count
        found: list[tuple[Outcome, list[Run]]] = [
            ((424, failure.status), [(0, whole, failure.rate)]) for failure in self.model.failures
        ]
        for spell in self.spells:
            if spell.failure_rate:
                bad = runs([(spell.start, spell.end, spell.failure_rate)], self.window.start, whole)
                found.append(((424, spell.status), bad))
        late = self._too_late()
        if late > 1e-5:
            found.append((TIMED_OUT, [(0, whole, late)]))
        found.append((BAD_REQUEST, [(0, whole, _BAD_REQUESTS)]))
        return [(outcome, rates) for outcome, rates in found if rates]

    def _share(self, left: Counts, outcome: Outcome, rates: list[Run]) -> Counts:
        failed = [0] * len(left)
        dice = self._dice(outcome)
        for first, last, rate in rates:
            failed[first:last] = [
                min(int(sent * rate + die), sent)
                for sent, die in zip(left[first:last], dice[first:last], strict=True)
            ]
        return failed

    def _with_counted(self, found: dict[Outcome, Counts]) -> dict[Outcome, Counts]:
        for i, tally in self.counted.items():
            for outcome, number in tally.outcomes.items():
                counts = found.get(outcome, [0] * self.window.count).copy()
                counts[i] += number
                found[outcome] = counts
        return found

    def _too_late(self) -> float:
        """The share of requests that takes longer than the deployment's request timeout."""
        settings = self.body.get("requestSettings")
        told = settings.get("requestTimeout") if isinstance(settings, dict) else None
        limit = 1000 * seconds(told, 5.0)
        sigma = self.model.sigma
        if sigma == 0 or limit <= 0:
            return 0.0
        return 0.5 * math.erfc(math.log(limit / self.model.p50_ms) / sigma / math.sqrt(2))

    def _usual(self, which: str) -> float:
        sigma = self.model.sigma
        if which == "mean":
            return self.model.mean_ms
        return self.model.p50_ms * math.exp(sigma * PERCENTILES[which])

    def _worsen(self, factors: list[float], spell: Spell) -> None:
        until = spell.lasts if spell.grows else spell.end
        length = max(spell.end - spell.start, 60.0) / 60
        for first, last, share in runs([(spell.start, until, 1.0)], self.window.start, self.window.count):
            if not spell.grows:
                factor = 1.0 + (spell.p95_factor - 1.0) * share
                factors[first:last] = [item * factor for item in factors[first:last]]
                continue
            slope, offset = (spell.p95_factor - 1.0) / length, self.window.start - spell.start / 60
            factors[first:last] = [
                item * (1.0 + slope * min(offset + i, length))
                for i, item in enumerate(factors[first:last], first)
            ]


def carried_by(model: Model, concurrency: int) -> float:
    """Requests a minute that one instance answers."""
    return concurrency * 60_000 / model.mean_ms


def _counted(tally: Tally, which: str) -> float:
    if which == "mean":
        return sum(tally.latencies) / len(tally.latencies)
    return tally.percentile(int(which[1:]) / 100)


def _mixed(made_up: float | None, sent: int, counted: float, number: int) -> float:
    """Percentiles can't be added: the mean by requests is near enough where both are made in one minute."""
    if made_up is None:
        return counted
    return (made_up * sent + counted * number) / (sent + number)
