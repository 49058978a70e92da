"""Brings together what a metric follows from: history, load, model, what was counted. One call, one window."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from emulator import names
from emulator.control import Control
from emulator.fold import Resource
from emulator.models import Models
from emulator.monitor import deploymentscope, endpointscope, rhythm
from emulator.monitor.counted import Counted
from emulator.monitor.history import History, Life
from emulator.monitor.load import LONGEST, Spell, Workload
from emulator.monitor.minutes import Minutes, demanded
from emulator.monitor.moment import Moment, moment
from emulator.monitor.parts import Part
from emulator.monitor.runs import between, joined
from emulator.monitor.window import Window
from emulator.settings import Settings


@dataclass(slots=True)
class Source:
    control: Control
    settings: Settings
    models: Models
    workload: Workload
    history: History
    counted: Counted = field(default_factory=Counted)

    def parts(self, resource: Resource, window: Window, metric: str, split: frozenset[str]) -> list[Part]:
        return self.measured(resource, window).parts(metric, split)

    def measured(self, resource: Resource, window: Window) -> Measured:
        """The resource's minutes; further metrics of the same call reuse what they share."""
        endpoint = resource.id if resource.kind == "endpoint" else resource.id.rpartition("/deployments/")[0]
        life = self.history.life(endpoint)
        if life is None or names.key(endpoint) in self.workload.silent:
            return Measured(None)
        behaviour = self.settings.behaviour
        demand = self._demand(life, window)
        if resource.kind == "endpoint":
            deployments = {
                written: self._minutes(life, name, window, demand) for name, written in life.spelt.items()
            }
            return Measured(endpointscope.Endpoint(deployments, behaviour))
        minutes = self._minutes(life, names.last(resource.id).lower(), window, demand)
        return Measured(deploymentscope.Deployment(resource.id, minutes, behaviour))

    def _demand(self, life: Life, window: Window) -> list[float]:
        load = self.workload.load(life.id)
        place = rhythm.place(names.key(life.id))
        shape = rhythm.week(load.peak, load.hour, load.weekend)
        return demanded(load.rpm, shape, seed=self.settings.seed, place=place, window=window)

    def _minutes(self, life: Life, name: str, window: Window, demand: list[float]) -> Minutes:
        deployment = names.deployment_id(life.id, life.spelt[name])
        at_once = self.settings.behaviour.traffic_takes_effect == "begin"
        return Minutes(
            window=window,
            seed=self.settings.seed,
            place=rhythm.place(names.key(deployment)),
            model=self.models.of(deployment),
            demand=demand,
            weights=[
                (split.at, (split.live.get(name, 0) + split.mirror.get(name, 0)) / 100)
                for split in life.splits
                if at_once or not split.begun
            ],
            standings=life.standings[name],
            spells=(
                *self.workload.spells.get(names.key(deployment), ()),
                *self._worn(life, name, deployment),
            ),
            counted=dict(self.counted.within(deployment, window.start, window.count)),
        )

    def _worn(self, life: Life, name: str, deployment: str) -> Iterator[Spell]:
        """A bad time for every stretch in which a deployment that wears had live traffic."""
        wear = self.models.of(deployment).wears
        if wear is None:
            return
        at_once = self.settings.behaviour.traffic_takes_effect == "begin"
        changes = (
            (split.at, float(split.live.get(name, 0) > 0))
            for split in life.splits
            if at_once or not split.begun
        )
        for since, until, live in joined(between(changes, LONGEST)):
            if live:
                end = since + 60 * wear.minutes
                yield Spell(since, end, p95_factor=wear.p95_factor, grows=True, lasts=until)

    def moment(self, deployment: Resource, now: float) -> Moment:
        """What a request that comes now meets. Where there are no metrics, there is no load either."""
        subject = self.measured(deployment, Window(int(now // 60), 1, now)).subject
        return moment(subject.minutes, now) if isinstance(subject, deploymentscope.Deployment) else Moment()

    def serves(self, deployment: Resource) -> bool:
        """Whether its instances answer, whatever its provisioning state says."""
        life = self.history.life(deployment.id.rpartition("/deployments/")[0])
        standings = [] if life is None else life.standings.get(names.last(deployment.id).lower(), [])
        return bool(standings) and standings[-1].serves


@dataclass(frozen=True, slots=True)
class Measured:
    """One resource over one window; None where there are no metrics at all."""

    subject: endpointscope.Endpoint | deploymentscope.Deployment | None

    def parts(self, metric: str, split: frozenset[str]) -> list[Part]:
        if self.subject is None:
            return []
        if isinstance(self.subject, endpointscope.Endpoint):
            return endpointscope.parts(self.subject, metric, split)
        return deploymentscope.parts(self.subject, metric, split)
