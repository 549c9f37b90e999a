"""Templates for people: which words there are, an editor with a preview that follows, and back to the shipped words."""

from pathlib import Path as Folder
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from fastapi.responses import RedirectResponse, Response

from services.reminder.desk_templates import handlers, rules
from services.reminder.desk_templates.handlers import Editor, SaveWording
from services.reminder.desk_templates.rules import Checked, Draft
from services.reminder.navigation.rules import LINKS
from services.reminder.templates.rules import ANY_ENTITY
from services.reminder.wordings.rules import LANGUAGES, PARTS, TONES, Language, Occasion, Tone
from shared.db import Database, Tx, reading
from shared.errors import DomainError
from shared.http.dependencies import DatabaseDep, ResourcesDep
from shared.http.pages import AttemptDep, Frame, NavLink, act, link
from shared.http.security import Principal
from shared.http.session import SignedIn

pages = APIRouter(include_in_schema=False)

ReaderDep = Annotated[Principal, Depends(SignedIn("reminders:read"))]
WriterDep = Annotated[Principal, Depends(SignedIn("reminders:read", "reminders:write"))]
Name = Annotated[str, Path(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60)]
NameQuery = Annotated[str, Query(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60)]
Entity = Annotated[str, Query(max_length=64)]
Text = Annotated[str, Form(max_length=200)]

FRAME = Frame(
    Folder(__file__).parent / "templates",
    section="Collections",
    links=[NavLink(*each) for each in LINKS],
    said=rules.SAID,
    values={
        "languages": rules.LANGUAGE_NAMES,
        "tones": TONES,
        "sources": rules.SOURCES,
        "occasions": rules.OCCASIONS,
        "part_words": rules.PART_WORDS,
        "parts_of_a_message": PARTS,
    },
)


@pages.get("/templates")
async def list_templates(
    request: Request, reader: ReaderDep, database: DatabaseDep, entity_id: Entity = ANY_ENTITY
) -> Response:
    """Every template with the languages and tones it has words in, and where they come from."""
    async with reading(database) as tx:
        shown = await handlers.draw_list(tx, entity_id)
    return FRAME.draw(
        request,
        reader,
        "templates.html",
        shown=shown,
        entity_id=entity_id,
        may_write="reminders:write" in reader.scopes,
    )


@pages.get("/new-template")
async def begin_template(_: WriterDep, name: NameQuery, like: NameQuery) -> Response:
    """To the editor of a template that is not there yet, or that is."""
    return RedirectResponse(link(f"/templates/{name}", like=like), 303)


@pages.get("/templates/{name}")
async def edit_template(
    request: Request,
    reader: ReaderDep,
    database: DatabaseDep,
    resources: ResourcesDep,
    name: Name,
    entity_id: Entity = ANY_ENTITY,
    language: Language | None = None,
    tone: Tone | None = None,
    like: Annotated[str, Query(max_length=60)] = "",
) -> Response:
    """One language and tone in the editor, beside what a customer would read."""
    async with reading(database) as tx:
        editor = await handlers.draw_editor(tx, name, entity_id, language, tone, like)
    checked = await _check(database, resources, editor.draft)
    return _draw(request, reader, editor, editor.draft, checked)


def _draw(
    request: Request,
    reader: Principal,
    editor: Editor,
    draft: Draft,
    checked: Checked,
    refused: DomainError | None = None,
) -> Response:
    return FRAME.draw(
        request,
        reader,
        "template.html",
        refused=refused,
        editor=editor,
        draft=draft,
        published=editor.draft.wording.parts,
        checked=checked,
        names=rules.names_of(draft.occasion),
        kept=editor.kept,
        may_write="reminders:write" in reader.scopes,
    )


async def _check(database: Database, resources: ResourcesDep, draft: Draft) -> Checked:
    try:
        async with reading(database) as tx:
            account, today = await handlers.find_account(tx, draft)
    except rules.NoSuchAccount as unknown:
        return Checked(rules.faults_of(draft), unseen=f"{unknown.title}: {unknown.detail}.")
    return await handlers.show(draft, account, today, resources.invoice, resources.stationery)


async def _typed(
    request: Request,
    name: Name,
    language: Annotated[Language, Form()],
    tone: Annotated[Tone, Form()],
    occasion: Annotated[Occasion, Form()],
    entity_id: Annotated[str, Form(max_length=64)] = ANY_ENTITY,
    account: Text = "",
) -> Draft:
    """The draft in a form; its parts are fields of their own names."""
    form = await request.form()
    wording = rules.typed(language, tone, {part: str(form.get(part, "")) for part in PARTS})
    return Draft(name, occasion, entity_id, wording, account.strip())


DraftDep = Annotated[Draft, Depends(_typed)]


@pages.post("/templates/{name}/check")
async def check_template(
    request: Request, reader: WriterDep, database: DatabaseDep, resources: ResourcesDep, draft: DraftDep, part: str = ""
) -> Response:
    """Faults and preview of what was typed: with `part` only these, for the editor's script."""
    checked = await _check(database, resources, draft)
    if part:
        return FRAME.draw(request, reader, "checked.html", checked=checked)
    return await _again(request, reader, database, draft, checked)


async def _again(
    request: Request,
    reader: Principal,
    database: Database,
    draft: Draft,
    checked: Checked,
    refused: DomainError | None = None,
) -> Response:
    """The editor once more with what was typed. A new template begins like the first that is about the same."""
    likes: dict[Occasion, str] = {
        "overdue": "first-reminder",
        "before_due": "due-soon",
        "promise": "promise-reminder",
        "instalment": "instalment-reminder",
    }
    async with reading(database) as tx:
        editor = await handlers.draw_editor(
            tx, draft.name, draft.entity_id, draft.wording.language, draft.wording.tone, likes[draft.occasion]
        )
    return _draw(request, reader, editor, draft, checked, refused)


@pages.post("/templates/{name}")
async def save_wording(
    request: Request,
    reader: WriterDep,
    database: DatabaseDep,
    resources: ResourcesDep,
    once: AttemptDep,
    draft: DraftDep,
    version: Annotated[int, Form(ge=0, le=2**31)],
    do: Annotated[str, Form(pattern="^(save|back)$")] = "save",
) -> Response:
    """Publish what was typed, or go back to the words that were there before they were changed."""
    wording = draft.wording

    async def work(tx: Tx) -> None:
        command = SaveWording(
            draft.name,
            draft.entity_id,
            draft.occasion,
            wording.language,
            wording.tone,
            wording if do == "save" else None,
            version,
            reader.subject,
        )
        await handlers.save_wording(tx, command)

    async def again(refused: DomainError) -> Response:
        return await _again(request, reader, database, draft, await _check(database, resources, draft), refused)

    then = link(
        f"/templates/{draft.name}",
        entity_id=draft.entity_id,
        language=wording.language if wording.language != LANGUAGES[0] else "",
        tone=wording.tone,
        said="saved" if do == "save" else "back",
    )
    return await act(once, work, then, again)
