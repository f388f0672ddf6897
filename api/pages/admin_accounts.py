"""Accounts as pages, for administrators; and one's own tokens, for everybody who signed in."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from api.access import Actor
from api.accounts import (
    AccountBody,
    AccountId,
    NewAccount,
    NewToken,
    TokenId,
    change_account,
    create_account,
    disable_account,
    enable_account,
    list_accounts,
    list_tokens,
    positions_known,
    revoke_token,
)
from api.identities import NewIdentity, link_identity, list_identities, unlink_identity
from api.installation import At, Installation
from api.own_tokens import create_own_token, list_own_tokens, revoke_own_token
from api.pages.admin_institution import organisations_to_choose
from api.pages.administration import page_of, page_read, read_days, show_section
from api.pages.answering import answering
from api.pages.forms import Form, FormRefused, done, read
from api.pages.reader import reader_of
from api.pages.route import PageRoute
from api.pages.typed import Typed
from api.passkeys import list_passkeys_of_account, remove_passkey_of_account
from api.passwords import end_sessions_of_account, make_password_link
from api.problems import Problem
from domain.folding import folded
from domain.sign_in import Acting
from locales import mark, translator
from storage.accounts import AccountDetails
from storage.metadata import utc_now
from storage.persons import Person

router = APIRouter(route_class=PageRoute, include_in_schema=False)

PATH = "/admin/accounts"

ROLES = {
    "coordinator": (mark("coordinator of files"), mark("Runs files: opens, changes, invites, reports.")),
    "approver": (mark("approver"), mark("Signs, returns or refuses what waits for the positions held.")),
    "auditor": (mark("auditor"), mark("Reads trails and evidence; sees no personal data.")),
    "administrator": (
        mark("administrator"),
        mark("Keeps accounts, organisations, rules and what people ask of their data."),
    ),
}

SCOPES = {
    "read": (mark("read"), ""),
    "write": (mark("write"), mark("Send commands that sign nothing.")),
    "sign": (mark("sign"), mark("Sign in your name. Give it to no program that you do not keep yourself.")),
    "administer": (mark("administer"), ""),
}

LANGUAGES = (("vi", "Tiếng Việt"), ("en", "English"))

SAID = {
    "opened": mark("The account was opened. Nobody can sign in with it yet: make a link to choose a password."),
    "changed": mark("The account was changed."),
    "disabled": mark(
        "The account was disabled. Its tokens, sessions, positions and leave ended with it; its name stays under what "
        "it did."
    ),
    "enabled": mark("The account is enabled again. Give it its positions, and make a link to choose a password."),
    "passkey_removed": mark("The passkey was removed, and its owner is told. End the sessions if it was lost."),
    "sessions_ended": mark("Every session of the account was ended."),
    "linked": mark("The identity was linked."),
    "unlinked": mark("The identity was removed, and the sessions that a provider had opened were ended."),
    "revoked": mark("The token was revoked."),
}

BESIDE = {"account_exists": "id", "identity_exists": "subject", "last_administrator": "roles"}


@router.get("/admin/accounts")
async def show_accounts_page(
    request: Request,
    at: At,
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
    q: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """Show the accounts that are not disabled; `q` looks in ids and names, with or without diacritics."""
    return await _accounts(request, at, page=page, q=q)


@router.post("/admin/accounts")
async def create_account_by_page(request: Request, actor: Actor, at: At) -> Response:
    """Open an account."""
    typed: Typed = request.state.form
    try:
        body = read(request, NewAccount, typed)
        with answering(request, BESIDE):
            await create_account(body, actor, at)
    except FormRefused as wrong:
        return await _accounts(request, at, form=wrong.form("add", NewAccount, typed), status=wrong.status)
    return done(f"{PATH}/{body.id}", "opened")


@router.get("/admin/accounts/{account}")
async def show_account_page(account: AccountId, request: Request, at: At) -> Response:
    """Show an account: what it may, how it signs in, its tokens."""
    return await _account(request, at, account)


@router.post("/admin/accounts/{account}")
async def change_account_by_page(account: AccountId, request: Request, actor: Actor, at: At) -> Response:
    """Change or disable an account, make a link to choose a password, end its sessions, keep identities and tokens."""
    typed: Typed = request.state.form
    what = typed.get("form", "")
    form: tuple[str, Any] = {"identity": ("identity", NewIdentity)}.get(what, ("change", AccountBody))
    try:
        match what:
            case "change":
                body = read(request, AccountBody, typed)
                with answering(request, BESIDE):
                    await change_account(account, body, actor, at)
                return done(f"{PATH}/{account}", "changed")
            case "identity":
                identity = read(request, NewIdentity, typed)
                with answering(request, BESIDE):
                    await link_identity(account, identity, actor, at)
                return done(f"{PATH}/{account}", "linked")
            case "password_link":
                with answering(request):
                    link = await make_password_link(account, actor, at)
                return await _account(request, at, account, link=link)
            case "enable":
                with answering(request):
                    await enable_account(account, actor, at)
                return done(f"{PATH}/{account}", "enabled")
        with answering(request):
            return await _act(at, actor, account, what, typed)
    except FormRefused as wrong:
        if what == "enable":
            return await _accounts(request, at, form=wrong.form("enable", AccountBody, typed), status=wrong.status)
        return await _account(request, at, account, form=wrong.form(*form, typed), status=wrong.status)


@router.get("/me/tokens")
async def show_own_tokens_page(request: Request, actor: Actor, at: At) -> Response:
    """Show one's own tokens, without their secrets."""
    return await _tokens(request, at, actor)


@router.post("/me/tokens")
async def create_own_token_by_page(request: Request, actor: Actor, at: At) -> Response:
    """Make a token, and show its secret this once."""
    typed: Typed = request.state.form
    try:
        body = read_days(request, NewToken, typed, last=["expires_at"])
        with answering(request, {"sign_in_again": ""}):
            made = await create_own_token(body, actor, at)
    except FormRefused as wrong:
        return await _tokens(request, at, actor, form=wrong.form("add", NewToken, typed), status=wrong.status)
    return await _tokens(request, at, actor, secret=made.token)


@router.post("/me/tokens/{token}/revoke")
async def revoke_own_token_by_page(token: TokenId, actor: Actor, at: At) -> Response:
    """Revoke one of one's own tokens."""
    await revoke_own_token(token, actor, at)
    return done("/me/tokens", "revoked")


async def _act(at: Installation, actor: Acting, account: str, what: str, typed: Typed) -> Response:
    """Do what needs no more than a press of a button."""
    match what:
        case "disable":
            await disable_account(account, actor, at)
            return done(PATH, "disabled")
        case "end_sessions":
            await end_sessions_of_account(account, actor, at)
            return done(f"{PATH}/{account}", "sessions_ended")
        case "unlink":
            _require_among(typed, [one.id for one in await at.identities.of(account)])
            await unlink_identity(typed.get("id", ""), actor, at)
            return done(f"{PATH}/{account}", "unlinked")
        case "revoke":
            _require_among(typed, [one.id for one in await at.accounts.tokens_of(account)])
            await revoke_token(typed.get("id", ""), actor, at)
            return done(f"{PATH}/{account}", "revoked")
        case "remove_passkey":
            _require_among(typed, [one.id for one in await at.passkeys.of(account)])
            await remove_passkey_of_account(account, typed.get("id", ""), actor, at)
            return done(f"{PATH}/{account}", "passkey_removed")
    raise Problem("body_malformed")


def _require_among(typed: Typed, known: list[str]) -> None:
    if typed.get("id", "") not in known:
        raise Problem("not_found")


async def _accounts(
    request: Request, at: Installation, *, page: int = 1, q: str = "", form: Form | None = None, status: int = 200
) -> Response:
    if wanted := folded(q):
        # Names are encrypted: to look for one, all are read.
        known = (await list_accounts(at)).items
        found = page_of([one for one in known if wanted in folded(f"{one.id} {one.name}")], page)
    else:
        found = await page_read(await at.accounts.count(), page, at.accounts.page)
    return show_section(
        request,
        "admin_accounts.html",
        PATH,
        status=status,
        form=form,
        forms=[Form("add", NewAccount, {"language": "vi"})],
        said_of=SAID,
        found=found,
        q=q,
        disabled=() if wanted else await at.accounts.disabled(),
        without_person=() if wanted else await at.accounts.approvers_without_person(),
        **await _choices(request, at),
    )


async def _account(
    request: Request, at: Installation, account: str, *, link: Any = None, form: Form | None = None, status: int = 200
) -> Response:
    details = await at.accounts.get(account)
    if details is None:
        raise Problem("account_unknown")
    return show_section(
        request,
        "admin_account.html",
        PATH,
        status=status,
        form=form,
        forms=[Form("change", AccountBody, _typed(details)), Form("identity", NewIdentity)],
        said_of=SAID,
        one=details,
        link=link,
        identities=(await list_identities(account, at)).items,
        tokens=(await list_tokens(account, at)).items,
        sessions=await at.sessions.of(account),
        passkeys=(await list_passkeys_of_account(account, at)).items,
        people=await _people(at, details),
        now=utc_now(),
        **await _choices(request, at, held=details.positions),
    )


async def _people(at: Installation, details: AccountDetails) -> list[tuple[str, str]]:
    """Return who of the register may be the one whose account it is: whoever is called much like it."""
    found = {one.ref: one for one in await at.persons.called_like(details.name)}
    if details.person is not None and details.person not in found:
        known = await at.persons.get(details.person)
        found |= {details.person: known} if isinstance(known, Person) else {}
    return [
        (ref, ", ".join(part for part in (one.details.full_name, one.details.function, one.details.email) if part))
        for ref, one in found.items()
    ]


def _typed(details: AccountDetails) -> dict[str, Any]:
    return {
        "name": details.name,
        "email": details.email or "",
        "language": details.language,
        "roles": details.roles,
        "positions": details.positions,
        "organisation": details.organisation or "",
        "person": details.person or "",
        "zone": details.zone or "",
    }


async def _choices(request: Request, at: Installation, held: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return what may be chosen; positions that are held stand among them, whether or not the register has them."""
    language = reader_of(request).language
    words = translator(language)
    titles = {one.slug: one.title.text(language) for one in await at.institution.positions() if one.ended_at is None}
    named = sorted(await positions_known(at) - titles.keys())
    return {
        "role_words": {code: words.tr(word) for code, (word, _) in ROLES.items()},
        "roles": [(code, words.tr(word).capitalize(), words.tr(about)) for code, (word, about) in ROLES.items()],
        "scope_words": {code: words.tr(word) for code, (word, _) in SCOPES.items()},
        "languages": LANGUAGES,
        "positions": [(slug, titles.get(slug, slug), "") for slug in dict.fromkeys((*held, *titles, *named))],
        "titles": titles,
        "organisations": await organisations_to_choose(request, at),
    }


async def _tokens(
    request: Request, at: Installation, actor: Acting, *, secret: str = "", form: Form | None = None, status: int = 200
) -> Response:
    words = translator(reader_of(request).language)
    return show_section(
        request,
        "own_tokens.html",
        "/me/tokens",
        status=status,
        form=form,
        forms=[Form("add", NewToken, {"scopes": ("read",)})],
        said_of=SAID,
        tokens=(await list_own_tokens(actor, at)).items,
        secret=secret,
        now=utc_now(),
        scopes=[
            (code, words.tr(word).capitalize(), words.tr(about) if about else "")
            for code, (word, about) in SCOPES.items()
        ],
        scope_words={code: words.tr(word) for code, (word, _) in SCOPES.items()},
        longest=(at.settings.token_days, min(at.settings.token_days, at.settings.signing_token_days)),
    )
