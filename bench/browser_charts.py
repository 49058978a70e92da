"""What a page with charts weighs, and how soon its first chart stands, in Chromium with either build of the library.

The page shows 24 hours of minutes of two deployments. npm brings the smaller build, as for an image; where npm or
Chromium is missing, that is told in place of a figure.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.figures import Figure
from bench.stage import ROOT, database

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.e2e.stage import Stage

PAGE = "/w/mlw-prod-weu/e/home-recs/?range=24h"
ROUNDS = 3
SMALL = ROOT / "static-build" / "plotly" / "plotly.min.js"
# Of the page that is open: when the first chart stood after the load, and what came over the wire but the library.
_FIRST = """() => {
  const marks = performance.getEntriesByType('mark').filter((one) => one.name.startsWith('chart '));
  const load = performance.getEntriesByType('navigation')[0].loadEventEnd;
  return marks.length ? Math.max(0, Math.min(...marks.map((one) => one.startTime)) - load) : -1;
}"""
_WEIGHT = """() => [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
  .filter((one) => !one.name.includes('/plotly/')).reduce((sum, one) => sum + one.encodedBodySize, 0)"""


def figures() -> list[Figure]:
    """Empty where there is no Chromium."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        sys.stdout.write("charts in a browser: not measured, there is no Chromium\n")
        return []
    from playwright.sync_api import sync_playwright

    # Playwright keeps an event loop in this thread, in which Django would not query otherwise.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--headless", "--no-sandbox"])
        with _bundle(None):
            full = _measured(browser)
        with tempfile.TemporaryDirectory() as folder:
            smaller = _fetched(Path(folder))
            with _bundle(smaller):
                small = _measured(browser) if smaller else None
        browser.close()
    return _told(full, small)


def _told(full: tuple[float, float], small: tuple[float, float] | None) -> list[Figure]:
    first, weight = small or full
    found = [
        Figure(name="chart page without the library", value=weight, bar=500, unit="KiB"),
    ]
    if small is None:
        sys.stdout.write("first chart with the small bundle: not measured, npm brought none\n")
        sys.stdout.write(f"first chart with the whole bundle: {full[0]:.0f} ms after load\n")
        return found
    return [
        *found,
        Figure(
            name="first chart after load, small bundle",
            value=first,
            yardstick=full[0] or None,
            bar=600,
            unit="ms",
        ),
    ]


def _measured(browser: Browser) -> tuple[float, float]:
    """Milliseconds to the first chart after load, and KiB of the page, each time with an empty cache."""
    from tests.e2e.stage import stage

    with (
        database() as own,
        tempfile.TemporaryDirectory() as folder,
        stage(own, browser, Path(folder)) as portal,
    ):
        _populate()
        rounds = [_round(portal) for _ in range(ROUNDS + 1)][1:]
    return statistics.median(one[0] for one in rounds), statistics.median(one[1] for one in rounds)


def _populate() -> None:
    from endpoints.inventory.models import Deployment, Endpoint
    from endpoints.metrics.services.rollups import roll_up
    from tests.support.measured import measure, now

    endpoint, moment = Endpoint.objects.get(name="home-recs"), now()
    since = moment - timedelta(hours=25)
    for deployment in Deployment.objects.filter(endpoint=endpoint):
        Deployment.objects.filter(pk=deployment.pk).update(azure_created_at=since, first_seen_at=since)
        measure(deployment, since=since, until=moment - timedelta(minutes=2), share=0.5)
    roll_up(1000)


def _round(portal: Stage) -> tuple[float, float]:
    with portal.open("vera") as page:
        page.goto(PAGE, wait_until="load")
        page.wait_for_function(
            "() => performance.getEntriesByType('mark').some((one) => one.name.startsWith('chart '))"
        )
        for figure in page.locator("[data-chart]").all():
            figure.scroll_into_view_if_needed()
            page.wait_for_function("(figure) => figure.dataset.drawn === '1'", arg=figure.element_handle())
        return float(page.evaluate(_FIRST)), float(page.evaluate(_WEIGHT)) / 1024


@contextmanager
def _bundle(path: Path | None) -> Iterator[None]:
    """Serve this build, or the wheel's; what stood in its place comes back."""
    kept = SMALL.read_bytes() if SMALL.exists() else None
    SMALL.unlink(missing_ok=True)
    if path is not None:
        SMALL.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, SMALL)
    try:
        yield
    finally:
        SMALL.unlink(missing_ok=True)
        if kept is not None:
            SMALL.write_bytes(kept)


def _fetched(folder: Path) -> Path | None:
    """The cartesian build of the version that the wheel has, if npm brings it."""
    from plotly.offline import get_plotlyjs_version

    package = f"plotly.js-cartesian-dist-min@{get_plotlyjs_version()}"
    npm: Any = shutil.which("npm")
    if npm is None:
        return None
    done = subprocess.run(
        [npm, "pack", "--silent", package], cwd=folder, capture_output=True, text=True, timeout=120
    )
    packed = next(folder.glob("*.tgz"), None)
    if done.returncode or packed is None:
        return None
    with tarfile.open(packed) as archive:
        archive.extract("package/plotly-cartesian.min.js", folder, filter="data")
    return folder / "package" / "plotly-cartesian.min.js"
