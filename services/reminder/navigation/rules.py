"""Where the pages of this service are, for all of them: each shows the same links."""

from __future__ import annotations

LINKS = (
    ("/", "Worklist", "w"),
    ("/placements", "Placements", "g"),
    ("/legal", "Courts", "l"),
    ("/team", "Team", "t"),
    ("/strategies", "Strategies", "s"),
    ("/templates", "Templates", "m"),
    ("/contact-policy", "Contact policy", "k"),
)
"""Address, label and access key, in the order in which they stand."""
