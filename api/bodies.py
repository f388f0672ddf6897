"""Bodies as they are sent: one or several commands, read as strictly as JSON can be."""

import json
from typing import Annotated, Any, Self

from fastapi import Header
from pydantic import Discriminator, Field, GetCoreSchemaHandler, Tag, TypeAdapter, model_validator
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from domain.commands import LARGEST_BATCH, Batch, OpenDelegation, PublicCommand
from domain.values import Slug, Value


class Strictly:
    """Reads a body by pydantic's strict rules for JSON: no number for a date, no text for a number.

    The web framework hands over what it parsed; by its lax rules `"starts": 20260406` would be a day in 1970.
    """

    def __init__(self, kind: Any) -> None:
        """`kind` is the annotated type itself, with all its annotations."""
        self._adapter: TypeAdapter[Any] = TypeAdapter(kind)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Put the strict reading in the place of the lax one; the JSON schema stays."""

        def read(value: Any, _lax: core_schema.ValidatorFunctionWrapHandler) -> Any:
            return self._adapter.validate_json(json.dumps(value), strict=True)

        return core_schema.no_info_wrap_validator_function(read, handler(source))


class Opening(OpenDelegation):
    """A new delegation. Without an `id` one is derived from the account and the Idempotency-Key."""

    id: Slug | None = None


class OpeningBatch(Value):
    """A new delegation and what else is to be done with it, decided as one; the first command opens it."""

    id: Slug | None = None
    commands: Annotated[tuple[PublicCommand, ...], Field(min_length=1, max_length=LARGEST_BATCH)]

    @model_validator(mode="after")
    def _opens(self) -> Self:
        if not isinstance(self.commands[0], OpenDelegation):
            raise PydanticCustomError("batch_does_not_open", "the first command of a new delegation opens it")
        return self


def _one_or_many(one: str, many: str) -> Discriminator:
    def which(value: Any) -> str:
        several = "commands" in value if isinstance(value, dict) else isinstance(value, Batch | OpeningBatch)
        return many if several else one

    return Discriminator(which)


CommandBody = Annotated[
    Annotated[PublicCommand, Tag("command")] | Annotated[Batch, Tag("batch")], _one_or_many("command", "batch")
]
OpeningBody = Annotated[
    Annotated[Opening, Tag("opening")] | Annotated[OpeningBatch, Tag("opening_batch")],
    _one_or_many("opening", "opening_batch"),
]

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="Names this request: sent again with the same key and body, it has the same result, once.",
        examples=["3f2c9a50-open"],
    ),
]


def as_json(command: PublicCommand) -> dict[str, Any]:
    """Return a command as it travels: what was said, normalised, with its type; what was left out or null is absent.

    So the same body has the same digest whatever defaults later releases add.
    """
    said = command.model_dump(mode="json", exclude_unset=True, exclude_none=True, exclude={"id"})
    return {"type": command.type} | said
