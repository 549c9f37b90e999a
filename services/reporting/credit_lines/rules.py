"""What the credit service watches and reviews, in words."""

from __future__ import annotations

from collections.abc import Callable

from services.reporting.wording.rules import Data, Line, day, joined, money, words


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


def _review_due(d: Data) -> Line:
    review = d["review"]
    return Line("credit", f"Credit review due by {day(review['due_on'])}", ", ".join(map(words, review["because"])))


def _review_done(d: Data) -> Line:
    review = d["review"]
    by = f"by {review['owner']}" if review.get("owner") else None
    return Line("credit", "Credit reviewed", joined(words(review.get("outcome")), by))


def _group_limit_changed(d: Data) -> Line:
    limit, before = d["group"].get("limit"), d.get("previous_limit")
    was = f"{money(before)} before" if before else None
    title = f"Limit of the group {money(limit)}" if limit else "The group has no limit any more"
    return Line("credit", title, joined(was, d.get("reason")))


CREDIT: dict[str, Callable[[Data], Line]] = {
    "dueward.credit.drift_detected.v1": _drift_detected,
    "dueward.credit.drift_ended.v1": _drift_ended,
    "dueward.credit.segment_drift_detected.v1": _segment_drift_detected,
    "dueward.credit.segment_drift_ended.v1": _segment_drift_ended,
    "dueward.credit.group_limit_changed.v1": _group_limit_changed,
    "dueward.credit.review_due.v1": _review_due,
    "dueward.credit.review_done.v1": _review_done,
}
