"""Check strategies against what else there is (templates, other strategies, the contact policy), and publish them."""

from __future__ import annotations

from services.reminder.policies import handlers as policies
from services.reminder.publishing import rules
from services.reminder.strategies import handlers as strategies
from services.reminder.strategies import rules as documents
from services.reminder.strategies.handlers import PublishStrategy
from services.reminder.strategies.rules import InvalidStrategy, Published
from services.reminder.templates import handlers as templates
from shared.db import Tx
from shared.documents import Fault


async def publish(tx: Tx, command: PublishStrategy) -> tuple[Published, list[Fault]]:
    """Make the next version, and say what is to be known about it. Raises what `strategies.publish_strategy` and
    `check` raise; the transaction of one that is refused is not committed."""
    published = await strategies.publish_strategy(tx, command)
    return published, await check(tx, command.name, command.document)


async def check(tx: Tx, name: str, document: str) -> list[Fault]:
    """Warnings about a document that could be published under this name. Raises InvalidStrategy for one that could
    not."""
    others = {each.name: each.strategy for each in await strategies.list_strategies(tx) if each.name != name}
    faults = [
        *rules.other_name(document, name),
        *rules.unknown_templates(document, await templates.names(tx)),
        *rules.unknown_champion(document, others),
    ]
    if faults:
        raise InvalidStrategy(faults)
    return rules.advise(
        documents.parse(document), documents.read(document), others.values(), await policies.current(tx)
    )


async def template_names(tx: Tx) -> list[str]:
    """What an editor can offer."""
    return await templates.names(tx)
