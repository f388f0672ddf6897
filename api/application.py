"""The API as an ASGI application, put together from its features."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from temporalio.client import Client

from api import (
    accounts,
    archive,
    attachments,
    calendars,
    ceilings,
    checklists,
    checkpoints,
    clock,
    collections,
    commands,
    dead_letters,
    deadlines,
    delegations,
    desks,
    directory,
    directory_imports,
    documents,
    dossiers,
    editions,
    erasures,
    evidence,
    exports,
    feeds,
    health,
    identities,
    institution,
    messages,
    metrics,
    notes,
    own_tokens,
    passkeys,
    passwords,
    person_requests,
    persons,
    policies,
    reading,
    reference,
    replies,
    retention,
    sessions,
    sign_offs,
    signing,
    texts,
    told,
    trail,
)
from api.envelope import Envelope
from api.handlers import add_handlers
from api.installation import Installation
from api.openapi import described
from api.pages import acts as acts_page
from api.pages import admin_accounts as accounts_page
from api.pages import admin_data as data_page
from api.pages import admin_institution as institution_page
from api.pages import admin_leave as leave_page
from api.pages import admin_log as log_page
from api.pages import admin_mail as mail_page
from api.pages import admin_rules as rules_page
from api.pages import admin_state as state_page
from api.pages import administration as administration_page
from api.pages import approval as approval_page
from api.pages import approvals as approvals_page
from api.pages import board as board_page
from api.pages import checklists as checklist_page
from api.pages import copying as copy_page
from api.pages import desks as inbox_page
from api.pages import directory as directory_page
from api.pages import directory_forms as directory_forms_page
from api.pages import directory_imports as imports_page
from api.pages import directory_merging as merging_page
from api.pages import files as file_page
from api.pages import invitations as invitations_page
from api.pages import items as items_page
from api.pages import lists as files_page
from api.pages import live as live_page
from api.pages import new_file as new_file_page
from api.pages import own_account as own_account_page
from api.pages import passkeys as passkeys_page
from api.pages import passwords as password_page
from api.pages import people as people_page
from api.pages import preview as preview_page
from api.pages import programme as programme_page
from api.pages import reports as report_page
from api.pages import requests as request_page
from api.pages import search as search_page
from api.pages import sessions as sign_in_page
from api.pages import static
from api.pages import today as today_page
from api.pages import trails as trail_page
from api.pages import whose_desk as whose_desk_page
from api.problems import ProblemDetails
from api.schema import require_schema
from settings import Settings

PREFIX = "/api/v1"

FEATURES = (
    delegations,
    commands,
    signing,
    trail,
    archive,
    reading,
    sign_offs,
    evidence,
    messages,
    dead_letters,
    told,
    deadlines,
    replies,
    desks,
    ceilings,
    dossiers,
    documents,
    persons,
    exports,
    person_requests,
    retention,
    collections,
    directory_imports,
    directory,
    texts,
    checklists,
    notes,
    attachments,
    accounts,
    identities,
    passwords,
    own_tokens,
    passkeys,
    sessions,
    institution,
    editions,
    policies,
    feeds,
    checkpoints,
    erasures,
    health,
)

PAGES = (
    static,
    sign_in_page,
    password_page,
    own_account_page,
    passkeys_page,
    inbox_page,
    whose_desk_page,
    approval_page,
    file_page,
    copy_page,
    new_file_page,
    trail_page,
    today_page,
    files_page,
    search_page,
    imports_page,
    merging_page,
    directory_forms_page,
    directory_page,
    live_page,
    acts_page,
    approvals_page,
    invitations_page,
    report_page,
    request_page,
    people_page,
    board_page,
    items_page,
    preview_page,
    checklist_page,
    programme_page,
    administration_page,
    institution_page,
    leave_page,
    accounts_page,
    mail_page,
    rules_page,
    data_page,
    log_page,
    state_page,
)

DESCRIPTION = """\
One delegation is one file: commands go in, sealed events come out, everything else is read from them.

Every address but `health`, this description and those where one signs in wants a token, `Authorization: Bearer lgt_…`,
or the cookie of a session. Every answer that is no success
is `application/problem+json` (RFC 9457) with a stable `code`, in Vietnamese or English by `Accept-Language`.
"""


def settle() -> None:
    """Let what is loaded by now stay for as long as the process: the garbage collector passes over it from now on.

    A collection of everything takes 200 ms otherwise, in whichever request it comes.
    """
    gc.collect()
    gc.freeze()


def create_application(settings: Settings, *, client: Client | None = None) -> FastAPI:
    """Return the application; it opens its connections when it starts and closes them when it stops.

    `client`, when given, must carry the data converter of the installation. Without one the API looks for Temporal by
    the settings, for as long as it takes, and answers commands with 503 meanwhile. At its start it refuses
    (SchemaOutdated) a database that was not brought to the schema of this release; one that does not answer is waited
    for in the same way as Temporal.
    """
    installation = Installation(settings, client)

    @asynccontextmanager
    async def lifespan(_application: FastAPI) -> AsyncIterator[None]:
        async with installation:
            await require_schema(installation.database)
            yield

    application = FastAPI(
        title="Legation",
        version="1",
        description=DESCRIPTION,
        lifespan=lifespan,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        responses={"default": {"model": ProblemDetails, "description": "A problem (RFC 9457)"}},
    )
    application.state.installation = installation
    application.openapi = lambda: described(application)  # type: ignore[method-assign]
    add_handlers(application)
    for feature in FEATURES:
        application.include_router(feature.router, prefix=PREFIX)
    if settings.has_virtual_clock:
        application.include_router(clock.router, prefix=PREFIX)
    application.include_router(reference.router)
    application.include_router(calendars.router)
    application.include_router(metrics.router)
    for page in PAGES:
        application.include_router(page.router)
    application.add_middleware(Envelope, tls=settings.public_origin.startswith("https:"))
    return application
