"""Texts and times as a scenario writes them."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from domain.bilingual import Bilingual
from domain.values import local_minute


def _in_both_languages(title: Any) -> Any:
    return {"vi": title, "en": title} if isinstance(title, str) else title


Title = Annotated[Bilingual, BeforeValidator(_in_both_languages)]
"""A text in both languages, or one text for both."""

WrittenTime = Annotated[str, Field(max_length=32), AfterValidator(local_minute)]
"""A wall-clock time `YYYY-MM-DDTHH:MM` in the scenario's zone."""
