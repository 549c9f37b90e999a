"""What may become known of a message after it was sent."""

from __future__ import annotations

from typing import Literal

Told = Literal["delivered", "opened", "bounced", "complained", "opted_out"]
