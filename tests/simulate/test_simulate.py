"""Whole generated books, one a seed, replayed from end to end and held against figures worked out independently.

`make simulate SEEDS="1 2 3"`; its short form is a test of `tests/system`, which every run has.
"""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from tests.system.books import differences
from tests.system.stand import generated, running_stack

SEEDS = [int(seed) for seed in (os.environ.get("SEEDS") or "1 2 3").split()]


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_years_book_comes_out_at_its_own_figures(seed: int, tmp_path: Path) -> None:
    rows = generated(seed=seed, customers=120, until=date(2024, 12, 31), into=tmp_path / "ledger.csv")
    with running_stack(tmp_path / "local") as stand:
        replayed = stand.replay(rows)
        print(f"seed {seed}: {replayed.invoices} invoices in {replayed.seconds:.0f} s")
        assert differences(stand, rows) == []
