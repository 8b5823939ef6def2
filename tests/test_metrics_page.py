"""docs/metrics.md lists exactly the metrics that there are, with their units, labels and labels' values."""

import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from seatcast.gateway.metrics import PREFIX, Metrics
from seatcast.tours.metrics import ApiMetrics, FiguresMetrics, RelayMetrics

PAGE = Path(__file__).parents[1] / "docs" / "metrics.md"


def rows(heading):
    """The first two cells of a section's table: name with labels, and unit."""
    section = PAGE.read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    for line in section.splitlines():
        if line.startswith("| `"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            assert all(cells), line
            yield cells[0], cells[1]


def on_the_page(heading, prefix=""):
    found = {}
    for name, unit in rows(heading):
        named, *labels = re.findall(r"`([^`]+)`", name)
        key = labels[0] if labels else None
        found[prefix + named] = (unit.endswith("histogram"), key, frozenset(labels[1:]))
        if "seconds" in named:
            assert unit.startswith("seconds")
        elif "bytes" in named:
            assert unit == "bytes"
    return found


def there_are(registry):
    found = {}
    for family in registry.collect():
        name = family.name + ("_total" if family.type == "counter" else "")
        labels = {
            (key, value) for sample in family.samples for key, value in sample.labels.items() if key != "le"
        }
        keys = {key for key, _ in labels}
        assert len(keys) <= 1
        found[name] = (
            family.type == "histogram",
            next(iter(keys), None),
            frozenset(value for _, value in labels),
        )
    return found


def gateway(registry):
    Metrics(registry)


def tours(registry):
    RelayMetrics(registry)
    ApiMetrics(registry)
    FiguresMetrics(registry)


@pytest.mark.parametrize(
    ("heading", "prefix", "register"), [("Gateway", PREFIX, gateway), ("Tour service", "", tours)]
)
def test_the_page_lists_the_metrics_that_there_are(heading, prefix, register):
    registry = CollectorRegistry()
    register(registry)
    assert on_the_page(heading, prefix) == there_are(registry)
