"""The shapes that bodies are read with and lists are answered in."""

from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

T = TypeVar("T")


class Body(BaseModel):
    """A request body or a part of one: unknown fields are refused, text is stripped of outer blanks."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    def given(self, *nullable: str) -> dict[str, Any]:
        """Of a PATCH: the fields it has. A null counts as left out, unless the field is one of `nullable`."""
        named = {name: getattr(self, name) for name in self.model_fields_set}
        return {name: value for name, value in named.items() if value is not None or name in nullable}


class Page(BaseModel, Generic[T]):
    """One page of a list; `next_cursor` leads to the next one and is null on the last."""

    items: list[T]
    next_cursor: str | None = None


class FieldProblem(BaseModel):
    """What is wrong with one field: `#/lines/0/quantity` of the body, or `query.limit`, `header.If-Match`."""

    pointer: str
    detail: str


class ProblemDocument(BaseModel):
    """RFC 9457. `type` is stable and names the kind of problem; some kinds add members of their own."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[FieldProblem] | None = None
    correlation_id: str | None = None
