"""Long forms that are kept while they are typed: which fields are kept, and what becomes of a draft that cannot be."""

from collections.abc import Collection, Sequence

from fastapi import Request

from api.installation import Installation
from api.pages.forms import FormRefused
from api.pages.reader import reader_of
from api.pages.typed import Typed
from locales import mark, translator
from storage.drafts import DraftRefused

NEW_DELEGATION = "new_delegation"
"""The kind of drafts that become a delegation."""

SENTENCES = {
    "draft_too_large": mark("This is more than a draft can hold."),
    "too_many_drafts": mark("You have as many drafts as are kept: discard one first."),
    "draft_of_another": mark("This draft belongs to somebody else."),
}


async def keep(
    request: Request, at: Installation, account: str, draft: str, before: Typed, typed: Typed, names: Collection[str]
) -> Typed:
    """Put what was typed into some fields of a draft in the place of what stood there; FormRefused.

    Returns the draft as it now stands: the other fields stay, in their order.
    """
    now = merged(before, typed, names)
    try:
        await at.drafts.save(account, NEW_DELEGATION, draft, now.pairs)
    except DraftRefused as no:
        words = translator(reader_of(request).language)
        raise FormRefused([("", words.tr(SENTENCES[no.code]))], 409) from None
    return now


def merged(before: Typed, typed: Typed, names: Collection[str]) -> Typed:
    """Return a form in which some fields are as typed now, and the others as they were."""
    stays: Sequence[tuple[str, str]] = [pair for pair in before.pairs if pair[0] not in names]
    return Typed([*stays, *(pair for pair in typed.pairs if pair[0] in names)])
