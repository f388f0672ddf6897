"""Who reads a page, and in which language."""

from dataclasses import dataclass

from fastapi import Request

from api.access import PERSONAL
from api.installation import installation_of
from api.language import preferred
from domain.sign_in import Acting
from locales import LANGUAGES, Language
from storage.accounts import AccountDetails
from storage.errors import StoreUnavailable


@dataclass(frozen=True)
class Reader:
    """Whoever a page is made for. `account`, `actor` and `csrf` are there once somebody has signed in."""

    language: Language
    account: AccountDetails | None = None
    actor: Acting | None = None
    csrf: str = ""

    @property
    def sees_personal_data(self) -> bool:
        """Whether names may stand on the page; an auditor checks commitments, and needs none."""
        return self.actor is not None and not set(PERSONAL).isdisjoint(self.actor.roles)


def reader_of(request: Request) -> Reader:
    """Return who reads: as the guard found them, else a stranger."""
    found = getattr(request.state, "reader", None)
    return found if isinstance(found, Reader) else Reader(language_of(request))


async def signed_in(request: Request, actor: Acting, csrf: str) -> Reader:
    """Return somebody who has signed in, in their own language unless this browser was told another one."""
    try:
        account = await installation_of(request).accounts.get(actor.id)
    except StoreUnavailable:
        account = None
    return Reader(language_of(request, account), account, actor, csrf)


def language_of(request: Request, account: AccountDetails | None = None) -> Language:
    """Return the language of a page: this browser's choice, the account's, what the browser prefers, the default."""
    at = installation_of(request)
    chosen = request.cookies.get(at.cookies.language)
    for language in LANGUAGES:
        if chosen == language:
            return language
    if account is not None:
        return account.language
    return preferred(request.headers.get("accept-language", ""), at.settings.language or "vi")
