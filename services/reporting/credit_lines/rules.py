"""What the credit service watches and reviews, in words."""

from __future__ import annotations

from collections.abc import Callable

from services.reporting.wording.rules import Data, Line, joined


def _drift_detected(d: Data) -> Line:
    drift, last = d["drift"], d["points"][-1]
    late = f"{last['smoothed_days']} days beyond terms, {drift['expected_days']} expected"
    still_open = sum(point["still_open"] for point in d["points"])
    return Line(
        "credit", "Pays later than before", joined(late, f"{still_open} invoices still open" if still_open else None)
    )


def _drift_ended(d: Data) -> Line:
    came_back = d["outcome"] == "came_back"
    return Line(
        "credit",
        "Pays as before again" if came_back else "Pays later, and that is usual now",
        f"{d['drift']['expected_days']} days beyond terms expected",
    )


def _segment_drift_detected(d: Data) -> Line:
    drift = d["drift"]
    return Line("credit", f"Segment {drift['segment']} pays later than before", f"over {len(d['weeks'])} weeks")


def _segment_drift_ended(d: Data) -> Line:
    return Line("credit", f"Segment {d['drift']['segment']} pays as before again", "")


CREDIT: dict[str, Callable[[Data], Line]] = {
    "dueward.credit.drift_detected.v1": _drift_detected,
    "dueward.credit.drift_ended.v1": _drift_ended,
    "dueward.credit.segment_drift_detected.v1": _segment_drift_detected,
    "dueward.credit.segment_drift_ended.v1": _segment_drift_ended,
}
