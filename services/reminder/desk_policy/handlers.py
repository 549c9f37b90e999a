"""The page of the contact policy: the policy in force, and what another one would do to the strategies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.reminder.desk_policy import rules
from services.reminder.desk_policy.rules import Effect, Form, Mistake
from services.reminder.policies import handlers as policies
from services.reminder.policies import rules as reading_policies
from services.reminder.policies.handlers import PublishPolicy
from services.reminder.policies.rules import PolicyDocument, PolicyVersion
from services.reminder.publishing import rules as advice
from services.reminder.strategies import handlers as strategies
from services.reminder.strategies import rules as documents
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class Checked:
    """What a policy in the form means, or what is wrong with it. `effects` are what it does to active strategies and
    the one in force does not, `relieved` the other way round."""

    mistakes: Sequence[Mistake]
    sentences: Sequence[str] = ()
    effects: Sequence[Effect] = ()
    relieved: Sequence[Effect] = ()


@dataclass(frozen=True, slots=True)
class PolicyPage:
    policy: PolicyVersion
    form: Form
    checked: Checked


async def draw_policy(tx: Tx, typed: Form | None = None) -> PolicyPage:
    """The policy in force, or what was typed in its place."""
    policy = await policies.find_policy(tx)
    form = typed or rules.form_of(policy.said)
    return PolicyPage(policy, form, await check(tx, form))


async def check(tx: Tx, form: Form) -> Checked:
    said = rules.read(form)
    if not isinstance(said, PolicyDocument):
        return Checked(said)
    before, after = await _held_up(tx, (await policies.find_policy(tx)).said), await _held_up(tx, said)
    return Checked(
        mistakes=(),
        sentences=rules.sentences(said),
        effects=[each for each in after if each not in before],
        relieved=[each for each in before if each not in after],
    )


async def publish(tx: Tx, form: Form, expected_version: int, by: str) -> None:
    """The prices of contacts, which the form does not ask for, stay. Raises InvalidPolicy and PreconditionFailed."""
    said = rules.read(form)
    if not isinstance(said, PolicyDocument):
        raise rules.refusal(said)
    stands = (await policies.find_policy(tx)).said
    said = said.model_copy(update={"prices": stands.prices, "prices_currency": stands.prices_currency})
    await policies.publish_policy(tx, PublishPolicy(said, expected_version, by))


async def _held_up(tx: Tx, policy: PolicyDocument) -> list[Effect]:
    """All that is said of the active strategies under a policy."""
    known = await strategies.list_strategies(tx)
    rules_of = reading_policies.read(policy.model_dump_json())
    return [
        Effect(published.name, remark)
        for published in known
        if published.strategy.active
        for remark in advice.advise(published.strategy, documents.read(published.document), (), rules_of)
    ]
