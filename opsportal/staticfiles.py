"""Where the chart library comes from: the wheel that the figures are made for, or a smaller build of the same version.

Only `plotly.min.js` is taken: the wheel's folder holds five more megabytes that no page loads. An image build may put
the library's smaller bundle for cartesian charts into `static-build/`, under the same name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage

BUNDLE = "plotly/plotly.min.js"


def bundle() -> Path:
    """The file that is served. Looked up without importing the package, which takes a second."""
    smaller = Path(settings.CHART_BUNDLE_DIR) / BUNDLE
    if smaller.is_file():
        return smaller
    found = find_spec("plotly")
    if found is None or found.origin is None:
        raise FileNotFoundError("The package plotly is not installed, so there is no library for charts.")
    return Path(found.origin).parent / "package_data" / "plotly.min.js"


class ChartLibraryFinder(BaseFinder):
    """Finds one file, `plotly/plotly.min.js`."""

    def check(self, **_: Any) -> list[Any]:
        return []

    def find(self, path: str, find_all: bool = False, **_: Any) -> Any:
        """The path of the file, or nothing for any other name."""
        if path != BUNDLE:
            return []
        return [str(bundle())] if find_all else str(bundle())

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, FileSystemStorage]]:
        """As `collectstatic` asks."""
        found = bundle()
        storage = FileSystemStorage(location=found.parent)
        storage.prefix = "plotly"  # type: ignore[attr-defined]  # what finders put before a name
        yield found.name, storage
