"""Which deployment answered a request, and how sure that is. Pure.

What Azure's log names is certain, also while the split was being switched: Azure itself saw it. Without the log the
split decides: all traffic to one deployment is certain, several with weight are one of several, and an unknown split
says nothing. What a caller or a model says narrows nothing down; it is told, and a contradiction is never hidden.
"""

from __future__ import annotations

from dataclasses import dataclass

from endpoints.challenges.facts import Sure
from endpoints.challenges.moment import SplitThen
from endpoints.challenges.recorded import Source
from endpoints.challenges.seen import LATER, SeenRow
from endpoints.core.traffic import describe

LOG, MIRROR = "Azure's traffic log", "mirror"
SOURCES = {Source.LOG: LOG, Source.MODEL: "model", Source.CALLER: "caller"}
_MODEL_FAILED = 424
_REFUSED = {
    401: "it let nobody in",
    403: "it let nobody in",
    404: "no deployment had traffic",
    429: "it was throttled",
}


@dataclass(frozen=True, slots=True)
class Answered:
    """One of `names` (lower case) answered, the one that somebody named first. None of them: see `reason`.

    `nobody`: no deployment answered, and that is certain. `or_nobody`: that may be, too.
    """

    names: tuple[str, ...]
    sure: Sure
    source: str
    reason: str
    nobody: bool = False
    or_nobody: bool = False


@dataclass(frozen=True, slots=True)
class Pinned:
    """Whether the request named its deployment in a header. `value` None: not known."""

    value: bool | None
    source: str
    reason: str


def who_answered(row: SeenRow | None, split: SplitThen) -> Answered:
    """Out of what was said of the request, if anything was, and of the split then."""
    if row is None:
        return _by_split(split)
    if row.deployment and row.origin.get("deployment") == Source.LOG:
        return _logged(row, split)
    if Source.LOG in row.sources and row.status in _REFUSED and not row.deployment:
        reason = f"Azure refused the request itself, with {row.status}: {_REFUSED[row.status]}."
        return Answered((), Sure.CERTAIN, LOG, reason, nobody=True)
    return _with_word(row, split) if row.deployment else _without_word(row, split)


def pinned(row: SeenRow | None, split: SplitThen, answered: Answered) -> Pinned:
    """Named as such only where weight 0 proves it, or the caller says so."""
    is_logged = (
        row is not None and answered.source == LOG and answered.sure is Sure.CERTAIN and answered.names
    )
    if is_logged and split.splits and answered.names[0] not in split.weighted:
        return Pinned(
            True, MIRROR, "It had no weight then: only a request that names it by header is answered by it."
        )
    if row is not None and row.pinned is not None:
        source = SOURCES[Source(row.origin.get("pinned", Source.CALLER))]
        return Pinned(row.pinned, source, "Nothing else proves it or speaks against it.")
    return Pinned(None, "", "Nobody said so, and Azure tells such requests from others nowhere.")


def others_said(row: SeenRow, name: str) -> str:
    """ "The caller says green." of a field of which another source said something else; "" without conflict."""
    said = [
        f"{_who(source)} {_quoted(value)}."
        for source, value in sorted((row.conflicts or {}).get(name, {}).items())
    ]
    return " ".join(said)


def _who(source: str) -> str:
    is_later, plain = source.endswith(LATER), source.removesuffix(LATER)
    who = {"log": "Azure's log", "caller": "The caller", "model": "The model"}[plain]
    return f"{who} later said" if is_later else f"{who} says"


def _quoted(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _logged(row: SeenRow, split: SplitThen) -> Answered:
    name, conflict = row.deployment, others_said(row, "deployment")
    agrees = [SOURCES[source] for source in row.also.get("deployment", ())]
    if name not in split.shadows:
        return Answered((name,), Sure.CERTAIN, LOG, conflict)
    if agrees:
        reason = f"It had only mirrored traffic; the {agrees[0]} says, too, that it answered: it was named by header."
        return Answered((name,), Sure.CERTAIN, LOG, _joined(reason, conflict))
    reason = (
        f"{name} had only mirrored traffic then: what Azure's log shows is a copy, whose answer nobody got, "
        "or a request that named it by header."
    )
    return Answered((name, *split.weighted), Sure.ONE_OF, LOG, _joined(reason, conflict))


def _with_word(row: SeenRow, split: SplitThen) -> Answered:
    giver = Source(row.origin.get("deployment", Source.CALLER))
    who, word, weighted = SOURCES[giver], row.deployment, split.weighted
    conflict = others_said(row, "deployment")
    if not split.splits:
        reason = f"{split.reason} The {who} says {word}; nothing here confirms it."
        return Answered((), Sure.UNKNOWN, who, _joined(reason, conflict))
    if split.is_certain and weighted == (word,):
        return Answered(
            (word,),
            Sure.CERTAIN,
            MIRROR,
            _joined(f"All traffic went to it, and the {who} names it.", conflict),
        )
    if word in weighted:
        names = (word, *(name for name in weighted if name != word))
        reason = f"The {who} says {word}; Azure's log does not confirm it. {_possible(split)}"
        return Answered(names, Sure.ONE_OF, who, _joined(reason, conflict))
    if not weighted:
        reason = (
            f"No deployment had traffic then. The {who} says {word}, which only a request by header reaches."
        )
        return Answered((), Sure.UNKNOWN, who, _joined(reason, conflict))
    reason = (
        f"The {who} says {word}, which had no weight and only a request by header reaches. {_possible(split)}"
    )
    return Answered((word, *weighted), Sure.ONE_OF, who, _joined(reason, conflict))


def _without_word(row: SeenRow, split: SplitThen) -> Answered:
    if row.pinned:
        reason = "The caller says that the request named its deployment by header, and not which one."
        return Answered((), Sure.UNKNOWN, "caller", reason)
    found = _by_split(split)
    if found.or_nobody and len(found.names) == 1 and _was_answered(row):
        reason = "The request was answered, and no other deployment may have had traffic."
        return Answered(found.names, Sure.CERTAIN, MIRROR, reason)
    return found


def _was_answered(row: SeenRow) -> bool:
    """By a model: well, or with an error of its own."""
    return row.status is not None and (200 <= row.status < 300 or row.status == _MODEL_FAILED)


def _by_split(split: SplitThen) -> Answered:
    weighted = split.weighted
    if not split.splits:
        return Answered((), Sure.UNKNOWN, MIRROR, split.reason)
    if not weighted:
        return Answered(
            (),
            Sure.UNKNOWN,
            MIRROR,
            "No deployment had traffic then: Azure answers such requests itself, with 404.",
        )
    if split.is_certain and len(weighted) == 1:
        reason = "It had all traffic. A request that named another deployment by header would not show here."
        return Answered(weighted, Sure.CERTAIN, MIRROR, reason)
    return Answered(weighted, Sure.ONE_OF, MIRROR, _possible(split), or_nobody=split.may_be_off)


def _possible(split: SplitThen) -> str:
    if not split.is_certain:
        return split.reason
    live = split.splits[0].live
    if len(live) == 1:
        return f"All traffic went to {next(iter(live))}."
    return f"The split was {describe(live)}; which one a request meets is drawn."


def _joined(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)
