"""One's own account in one place: who one is here, how one signs in, from where one is signed in, in which language."""

from fastapi import APIRouter, Request, Response

from api.access import Actor
from api.installation import At
from api.institution import LeaveQuery, list_leaves
from api.own_tokens import list_own_tokens
from api.pages.admin_accounts import ROLES
from api.pages.administration import last_day, show_section
from api.pages.answering import answering
from api.pages.forms import Form, FormRefused, done
from api.pages.passwords import wrong_with
from api.pages.reader import Reader, language_of, reader_of
from api.pages.rendering import show
from api.pages.route import PageRoute
from api.pages.typed import Typed
from api.passwords import PasswordChange, change_password
from api.problems import Problem
from api.sessions import LONGEST_TYPED, SessionId, end_session, end_sessions, list_sessions
from domain.sign_in import SHORTEST_PASSWORD
from locales import mark, translator
from storage.metadata import utc_now

router = APIRouter(route_class=PageRoute, include_in_schema=False)

ACCOUNT, PASSWORD = "/me", "/me/password"

SAID = {
    "password_changed": mark(
        "Your password is changed. Wherever else you were signed in, you no longer are, and your tokens were revoked."
    ),
    "session_ended": mark("The session was ended."),
}

NO_OLD = mark("Type the password that you have now.")


@router.get("/me")
async def show_own_account_page(request: Request, actor: Actor, at: At) -> Response:
    """Show one's own account: roles, ways to sign in, sessions, language, and the ways to what else is one's own."""
    reader = reader_of(request)
    words, now = translator(reader.language), utc_now()
    leaves = (await list_leaves(LeaveQuery(account=actor.id), at)).items
    mine = [one for one in leaves if one.account == actor.id and one.until > now and one.revoked_at is None]
    coming = min(mine, key=lambda one: one.since, default=None)
    known = await at.institution.organisations() if actor.organisation else ()
    name = next((one.name for one in known if one.slug == actor.organisation), None)
    tokens = (await list_own_tokens(actor, at)).items
    return show_section(
        request,
        "own_account.html",
        ACCOUNT,
        said_of=SAID,
        me=reader.account,
        roles=words.listing(words.tr(ROLES[role][0]) for role in actor.roles if role in ROLES),
        organisation=name.text(reader.language) if name else actor.organisation,
        sessions=await list_sessions(actor, at),
        passkeys=await at.passkeys.of(actor.id),
        coming=coming,
        until=last_day(at, coming.until) if coming else None,
        now=now,
        tokens=[one for one in tokens if not one.revoked_at and (one.expires_at is None or one.expires_at > now)],
    )


@router.post("/me/sessions")
async def end_own_sessions_by_page(request: Request, actor: Actor, at: At) -> Response:
    """End all of one's own sessions, the one that asks among them."""
    request.state.reader = Reader(language_of(request, reader_of(request).account))
    response = show(request, "signed_out.html")
    await end_sessions(actor, response, at)
    return response


@router.post("/me/sessions/{session}")
async def end_own_session_by_page(session: SessionId, actor: Actor, at: At) -> Response:
    """End one of one's own sessions elsewhere; one that is over already stays so."""
    try:
        await end_session(session, actor, at)
    except Problem as problem:
        if problem.code != "session_unknown":
            raise
    return done(ACCOUNT, "session_ended")


@router.get("/me/password")
async def show_own_password_page(request: Request) -> Response:
    """Show the form in which one changes one's own password."""
    return _password(request)


@router.post("/me/password")
async def change_own_password_by_page(request: Request, actor: Actor, at: At) -> Response:
    """Change one's own password. Every other session of the account ends; nothing that was typed is shown again."""
    typed: Typed = request.state.form
    words = translator(reader_of(request).language)
    old, new = typed.get("old", ""), typed.get("new", "")
    errors = [] if old else [("old", words.tr(NO_OLD))]
    errors += wrong_with(words, new, typed.get("repeated", ""), names=("new", "repeated"))
    try:
        if errors:
            raise FormRefused(errors)
        # What is longer than anybody's is a wrong one, and no fault of the form.
        with answering(request, {"password_wrong": "old", "too_many_attempts": "old"}):
            await change_password(PasswordChange(old=old[:LONGEST_TYPED], new=new), request, actor, at)
    except FormRefused as wrong:
        return _password(request, wrong.form("password", PasswordChange, {}), status=wrong.status)
    return done(ACCOUNT, "password_changed")


def _password(request: Request, form: Form | None = None, *, status: int = 200) -> Response:
    return show_section(
        request,
        "own_password.html",
        PASSWORD,
        status=status,
        form=form,
        forms=[Form("password", PasswordChange)],
        shortest=SHORTEST_PASSWORD,
    )
