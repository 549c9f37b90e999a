"""What the reporting service does by the clock: nothing yet, its figures are worked out when asked for."""

from __future__ import annotations

from shared.ticks import Ticks

ticks = Ticks()
