"""The scenarios, in the order in which they are offered."""

from __future__ import annotations

from deploy.local.training.scenario import Scenario
from deploy.local.training.scenarios import (
    broken_promise,
    credit_referral,
    disputing_key_account,
    misapplied_payment,
    silent_debtor,
)

SCENARIOS: dict[str, Scenario] = {
    scenario.slug: scenario
    for scenario in (
        disputing_key_account.SCENARIO,
        broken_promise.SCENARIO,
        silent_debtor.SCENARIO,
        misapplied_payment.SCENARIO,
        credit_referral.SCENARIO,
    )
}
