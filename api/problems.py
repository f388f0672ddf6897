"""Problem details (RFC 9457): one shape for everything that does not succeed, in the reader's language."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request, Response
from pydantic import BaseModel, Field

from api.language import preferred
from api.refusals import REFUSALS, Answer
from domain.canonical import canonical_json
from domain.decision import Refusal
from locales import Translator, mark, translator
from settings import Settings
from words.codes import COMMANDS, FORMALITIES, PHASES, word

MEDIA_TYPE = "application/problem+json"
TYPES = "https://legation.example/problems/"

TITLES: dict[int, str] = {
    400: mark("The request is not well formed"),
    401: mark("You are not signed in"),
    403: mark("You may not do this"),
    404: mark("There is no such thing"),
    405: mark("This address does not take that method"),
    409: mark("This contradicts what stands"),
    410: mark("This does not exist any more"),
    413: mark("The request is too large"),
    415: mark("The request has the wrong type"),
    422: mark("The request cannot be accepted"),
    429: mark("Too many attempts"),
    500: mark("Something broke on our side"),
    503: mark("Not possible at the moment"),
}

PROBLEMS: dict[str, Answer] = {
    "token_missing": Answer(401, mark("The request carries no token: send “Authorization: Bearer …”.")),
    "token_refused": Answer(401, mark("The token is unknown, has expired or was revoked.")),
    "session_refused": Answer(401, mark("The session is over. Sign in again.")),
    "sign_in_refused": Answer(403, mark("This is not how an account here signs in. Check what you entered.")),
    "sign_in_again": Answer(403, mark("Sign in again first: this changes how you sign in, or who signs for whom.")),
    "signing_not_yours": Answer(
        403, mark("A token that signs is made by its owner alone, who has signed in; an administrator gives none.")
    ),
    "token_lives_too_long": Answer(422, mark("Such a token is good for %(days)s days at most.")),
    "session_needed": Answer(403, mark("This is for somebody who signed in, not for a token.")),
    "scope_missing": Answer(403, mark("The token may not be used for this; it lacks the scope “%(scope)s”.")),
    "origin_refused": Answer(403, mark("The request comes from a page of another site.")),
    "csrf_token_refused": Answer(
        403, mark("The request needs a header “X-CSRF-Token” with the value that the session gave.")
    ),
    "too_many_attempts": Answer(429, mark("Too many attempts. Wait %(seconds)s seconds, then try again.")),
    "password_wrong": Answer(403, mark("The password you have now is another one.")),
    "link_refused": Answer(403, mark("The link is unknown, was used, or is too old. Ask for a new one.")),
    "passkey_refused": Answer(422, mark("The answer of your device could not be verified. Start again.")),
    "passkey_exists": Answer(409, mark("This passkey is registered already.")),
    "passkey_missing": Answer(409, mark("You have no passkey yet that could sign; register one first.")),
    "signature_refused": Answer(
        403, mark("The signature of your passkey does not hold for this dossier. Nothing was signed; start again.")
    ),
    "passkey_unknown": Answer(404, mark("You have no passkey of this id.")),
    "passkey_not_of_account": Answer(404, mark("The account has no passkey of this id.")),
    "session_unknown": Answer(404, mark("You have no session of this id.")),
    "identity_exists": Answer(409, mark("This identity belongs to an account already.")),
    "identity_unknown": Answer(404, mark("There is no identity of this id.")),
    "provider_unknown": Answer(404, mark("There is no provider of this name.")),
    "provider_unavailable": Answer(503, mark("The other provider does not answer as it should. Try again later.")),
    "role_not_allowed": Answer(403, mark("Your role may not use this address.")),
    "not_found": Answer(404, mark("There is nothing at this address.")),
    "method_not_allowed": Answer(405, mark("This address does not take that method.")),
    "body_malformed": Answer(400, mark("The body of the request cannot be read.")),
    "body_too_large": Answer(413, mark("The body of the request is larger than this address takes.")),
    "content_type_not_json": Answer(415, mark("Send the body as JSON, with “Content-Type: application/json”.")),
    "content_type_not_form": Answer(415, mark("Send the form as browsers send it.")),
    "validation_failed": Answer(422, mark("The request is not complete or not correct; the fields are named below.")),
    "idempotency_key_missing": Answer(400, mark("The request needs a header “Idempotency-Key”.")),
    "idempotency_key_malformed": Answer(
        400, mark("The header “Idempotency-Key” has 1 to 200 visible ASCII characters.")
    ),
    "idempotency_key_reused": Answer(409, mark("This Idempotency-Key was used before, with another body.")),
    "cursor_unknown": Answer(400, mark("The cursor is not one that this list gave for this order.")),
    "person_unknown": Answer(404, mark("The register has no such person.")),
    "person_erased": Answer(410, mark("This person's data were erased.")),
    "erasure_unknown": Answer(404, mark("There is no erasure of this id.")),
    "erasure_not_carried_out": Answer(409, mark("This erasure was not carried out yet.")),
    "erasure_exists": Answer(409, mark("This person's erasure was asked for already; see the one that waits.")),
    "erasure_settled": Answer(409, mark("This erasure was agreed to, carried out or withdrawn already.")),
    "erasure_not_yours": Answer(403, mark("Only whoever asked for an erasure takes it back.")),
    "erasure_needs_another": Answer(
        403, mark("An erasure needs two people: another administrator than the one who asked has to agree.")
    ),
    "erasure_of_oneself": Answer(403, mark("Nobody asks for or agrees to their own erasure: two others do.")),
    "erasure_through_substitute": Answer(
        403, mark("You and whoever asked stand in for each other now; a third administrator has to agree.")
    ),
    "erasure_asker_gone": Answer(
        409, mark("Whoever asked for this erasure is no administrator any more; somebody else has to ask anew.")
    ),
    "document_erased": Answer(
        410, mark("This document was erased because it named somebody whose data were erased; see what replaced it.")
    ),
    "request_unknown": Answer(404, mark("There is no request of this id.")),
    "correction_unknown": Answer(422, mark("The person's details have no version of this commitment.")),
    "export_unknown": Answer(422, mark("No export of this person's data has this digest.")),
    "plan_unknown": Answer(404, mark("There is no plan of this id.")),
    "plan_ended": Answer(409, mark("The plan was applied, stopped or superseded.")),
    "checklist_template_unknown": Answer(404, mark("There is no checklist of this id to take over.")),
    "checklist_chosen": Answer(409, mark("Another checklist was taken over into this file already.")),
    "checklist_entry_unknown": Answer(404, mark("The checklist of this file has no such entry, or not any more.")),
    "checklist_entry_changed": Answer(409, mark("Somebody changed this entry since; read it again first.")),
    "checklist_entry_not_yours": Answer(
        403, mark("A coordinator says that this is done, or whoever it is assigned to.")
    ),
    "note_unknown": Answer(404, mark("This file has no such note.")),
    "note_not_yours": Answer(403, mark("Only its author changes a note.")),
    "note_changed": Answer(409, mark("The note was written anew since; read it again first.")),
    "text_unknown": Answer(404, mark("The register has no such text, or it was erased.")),
    "received_mail_unknown": Answer(404, mark("There is no received mail of this id.")),
    "received_mail_settled": Answer(
        409, mark("Somebody has settled or dismissed this mail already, or it needs nobody.")
    ),
    "received_mail_without_file": Answer(422, mark("It is not known which delegation this mail is about: name it.")),
    "as_of_said_twice": Answer(422, mark("Name an instant or the number of an event, not both.")),
    "delegation_not_open_then": Answer(404, mark("The delegation was not open yet at that time.")),
    "event_unknown": Answer(404, mark("The file has no event of this number yet; its last one is no. %(seq)s.")),
    "evidence_not_checkpointed": Answer(
        409, mark("No checkpoint has an event of this file yet; the next one is made within minutes.")
    ),
    "evidence_incomplete": Answer(
        409,
        mark("The evidence is not whole here: history, archive or checkpoints lack something. Run “legation verify”."),
    ),
    "signing_key_missing": Answer(
        409, mark("The key that checkpoints are signed with is not there; an administrator has to look.")
    ),
    "dossier_missing": Answer(404, mark("Nothing of this file was submitted yet.")),
    "document_unknown": Answer(404, mark("The file of this delegation has no such document.")),
    "item_missing": Answer(404, mark("The programme of this file has no such item.")),
    "edition_senseless": Answer(422, mark("The rules of this edition cannot work as they are; look at each field.")),
    "edition_unknown": Answer(404, mark("There is no edition of this digest.")),
    "account_unknown": Answer(404, mark("There is no account of this id, or it is disabled.")),
    "account_not_disabled": Answer(409, mark("The account is not disabled.")),
    "last_administrator": Answer(
        409, mark("Nobody would be left to administer: give another account the role of an administrator first.")
    ),
    "account_exists": Answer(409, mark("There is another account of this id.")),
    "organisation_unknown": Answer(404, mark("There is no organisation of this id at that time.")),
    "organisation_exists": Answer(409, mark("There is an organisation of this id at that time already.")),
    "organisation_cycle": Answer(422, mark("The organisation would stand above itself.")),
    "organisation_in_use": Answer(
        409, mark("Other organisations stand below it at that time; end or move them first.")
    ),
    "parent_ends_first": Answer(422, mark("The organisation above ends before this one does.")),
    "organisation_goes_on": Answer(
        409, mark("A later entry would bring the organisation back after its end; let that one end.")
    ),
    "organisation_needs_successor": Answer(
        409,
        mark("Open files: %(files)s, offices held there after that: %(tenures)s. Name the organisation they go on to."),
    ),
    "successor_is_itself": Answer(422, mark("An organisation does not follow itself.")),
    "successor_unknown": Answer(422, mark("The organisation that is to follow does not exist at that time.")),
    "parent_unknown": Answer(422, mark("The organisation above does not exist when this one begins.")),
    "position_unknown": Answer(422, mark("There is no position of this id.")),
    "position_exists": Answer(409, mark("There is a position of this id already.")),
    "position_ended": Answer(409, mark("The position has ended: nobody is given it any more.")),
    "position_held": Answer(409, mark("The position is still held, or will be: %(tenures)s. End the tenures first.")),
    "position_in_rules": Answer(409, mark("Rules in force, or to come, name this position.")),
    "position_not_held": Answer(422, mark("The one who is away holds none or not all of these positions then.")),
    "desk_unknown": Answer(404, mark("The position has no desk at this organisation.")),
    "position_of_another_organisation": Answer(
        422, mark("Another organisation alone has this position, and the account does not reach it.")
    ),
    "tenure_unknown": Answer(404, mark("There is no tenure of this id.")),
    "tenure_exists": Answer(409, mark("The account holds this position at that time already.")),
    "tenure_ended": Answer(409, mark("The tenure ends by then already.")),
    "period_backwards": Answer(422, mark("The end is not after the beginning.")),
    "end_in_past": Answer(
        422, mark("The end lies in the past: what was somebody’s right until now is not taken back.")
    ),
    "leave_over": Answer(409, mark("The leave is over; register another one.")),
    "leave_unknown": Answer(404, mark("There is no leave of this id.")),
    "leave_not_yours": Answer(403, mark("Only an administrator registers or changes the leave of somebody else.")),
    "leave_revoked": Answer(409, mark("The leave was revoked.")),
    "leave_overlaps": Answer(
        409, mark("There is leave of this account at that time already, for one of these positions.")
    ),
    "substitute_exists": Answer(409, mark("That is the substitute already.")),
    "substitute_no_approver": Answer(422, mark("A substitute is somebody whose role lets them sign.")),
    "substitute_out_of_reach": Answer(
        422, mark("The files that wait for the one who is away are out of reach of the substitute’s organisation.")
    ),
    "substitute_is_registrar": Answer(
        403,
        mark(
            "An administrator does not make themselves somebody’s substitute: whoever is away does, or another "
            "administrator."
        ),
    ),
    "substitute_is_oneself": Answer(422, mark("Nobody is their own substitute.")),
    "substitute_on_leave": Answer(409, mark("The substitute is on leave at that time; substitution is not passed on.")),
    "leave_while_substituting": Answer(
        409, mark("This account is somebody's substitute at that time; give that leave another substitute first.")
    ),
    "calendar_refused": Answer(422, mark("The calendar cannot be used; the field is named below.")),
    "collection_exists": Answer(409, mark("Another calendar is registered already; remove it first.")),
    "collection_unknown": Answer(404, mark("No calendar is registered here.")),
    "token_unknown": Answer(404, mark("There is no token of this id that could be revoked.")),
    "text_refused": Answer(422, mark("The text cannot be taken.")),
    "attachment_too_large": Answer(413, mark("The file cannot be taken.")),
    "attachment_type_refused": Answer(415, mark("The file cannot be taken.")),
    "attachment_refused": Answer(422, mark("The file cannot be taken.")),
    "entry_unknown": Answer(404, mark("The directory has no such entry.")),
    "entry_changed": Answer(409, mark("Somebody changed this entry since; read it again first.")),
    "entry_unchanged": Answer(422, mark("Nothing in the entry would change.")),
    "entry_merged": Answer(409, mark("This entry gave way to another one; change that one, or split them first.")),
    "entry_not_merged": Answer(409, mark("This entry was not merged into another one.")),
    "entry_kind_differs": Answer(422, mark("A partner, a host and a contact cannot become one another.")),
    "entry_merges_itself": Answer(422, mark("An entry cannot be merged into itself.")),
    "organisation_not_an_entry": Answer(
        422, mark("A contact belongs to a partner or host of the directory that did not give way to another.")
    ),
    "preview_superseded": Answer(
        409, mark("This is not the preview of this file as the directory stands now: look at it again first.")
    ),
    "spreadsheet_too_large": Answer(413, mark("The file cannot be taken.")),
    "spreadsheet_type_refused": Answer(415, mark("The file cannot be taken.")),
    "spreadsheet_refused": Answer(422, mark("The file cannot be taken.")),
    "clock_stopped": Answer(409, mark("The clock did not reach the time it was to be moved to.")),
    "clock_has_no_file": Answer(409, mark("The file is closed; its clock stands still.")),
    "calendar_unknown": Answer(404, mark("There is no calendar at this address, or not any more.")),
    "archived_run_unknown": Answer(404, mark("The archive has no run of this id.")),
    "archive_damaged": Answer(500, mark("The archive has not what was archived at %(location)s.")),
    "archive_unavailable": Answer(503, mark("The archive cannot be used at the moment.")),
    "feed_unknown": Answer(404, mark("There is no feed of this id.")),
    "checkpoint_unknown": Answer(404, mark("There is no checkpoint of this number.")),
    "checkpoint_later": Answer(422, mark("The checkpoint to begin from is the later of the two.")),
    "event_in_no_checkpoint": Answer(404, mark("No checkpoint holds this event yet, or not the one that was named.")),
    "checkpoint_refused": Answer(
        409,
        mark(
            "No checkpoint was signed: “%(stream)s” is not what the checkpoints before hold of it "
            "(event %(seq)s, %(reason)s). Somebody has to look."
        ),
    ),
    "checkpoint_key_missing": Answer(
        409, mark("No checkpoint was signed: the key that signs, or the one before it, is not there (%(reason)s).")
    ),
    "store_unavailable": Answer(503, mark("The database cannot be used at the moment. Nothing was changed.")),
    "engine_unavailable": Answer(
        503, mark("No answer came in time. Send the same request with the same Idempotency-Key again.")
    ),
    "decision_failed": Answer(500, mark("The command could not be decided. Nothing was changed.")),
    "internal_error": Answer(500, mark("The fault is ours, and it was noted.")),
}
"""What is refused before, beside or instead of a decision."""

RETRY_AFTER = {
    "store_unavailable": "2",
    "engine_unavailable": "1",
    "provider_unavailable": "30",
    "archive_unavailable": "30",
}
"""Seconds after which asking again makes sense."""

BY_STATUS = {
    400: "body_malformed",
    401: "token_refused",
    403: "role_not_allowed",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "content_type_not_json",
}
"""The codes of what the web framework refuses by itself."""


class FieldError(BaseModel):
    """One thing that is wrong: where, by which rule, and in words. `index` counts a batch's commands from 0."""

    field: str
    rule: str
    message: str
    index: int | None = None


class ProblemDetails(BaseModel):
    """The body of every answer that is no success (RFC 9457 section 3). `code` is stable; decide by it."""

    type: str = Field(examples=[TYPES + "wrong_phase"])
    title: str
    status: int
    detail: str
    instance: str
    code: str
    errors: list[FieldError] = []


class Problem(Exception):
    """A refusal on its way to the caller. Its parameters carry no personal data."""

    def __init__(
        self,
        code: str,
        *,
        errors: Sequence["FieldProblem"] = (),
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.errors = errors
        self.headers = dict(headers or {})
        self.params = dict(params or {})


class FieldProblem(BaseModel):
    """A `FieldError` before it is put into words: `sentence` is the message's key in the catalogues."""

    field: str
    rule: str
    sentence: str
    params: dict[str, Any] = {}
    index: int | None = None


def beside(field: str, code: str, **params: Any) -> Problem:
    """Return the problem of a code that is about one field of the body."""
    error = FieldProblem(field=field, rule=code, sentence=answer_of(code).sentence, params=params)
    return Problem(code, errors=[error], params=params)


def refused(refusal: Refusal) -> Problem:
    """Return the problem that a business refusal is answered with."""
    found = REFUSALS.get(refusal.code)
    params: dict[str, Any] = dict(refusal.params)
    if found is None or (refusal.field is None and refusal.index is None):
        return Problem(refusal.code, params=params)
    error = FieldProblem(
        field=refusal.field or "", rule=refusal.code, sentence=found.sentence, params=params, index=refusal.index
    )
    return Problem(refusal.code, params=params, errors=[error])


def answer_of(code: str) -> Answer:
    """Return status and sentence of a code."""
    return PROBLEMS.get(code) or REFUSALS.get(code) or Answer(422, TITLES[422])


def respond(request: Request, problem: Problem) -> Response:
    """Return the answer to a request that met a problem."""
    settings: Settings = request.app.state.installation.settings
    language = preferred(request.headers.get("accept-language", ""), settings.language or "vi")
    words = translator(language)
    status, sentence = answer_of(problem.code)
    details = ProblemDetails(
        type=TYPES + problem.code,
        title=words.tr(TITLES[status]),
        status=status,
        detail=words.tr(sentence, **shown(problem.params, words)),
        instance=f"urn:uuid:{request.scope['request_id']}",
        code=problem.code,
        errors=[
            FieldError(
                field=error.field,
                rule=error.rule,
                message=words.tr(error.sentence, **shown(error.params, words)),
                index=error.index,
            )
            for error in problem.errors
        ],
    )
    headers = {"Content-Language": language, "Vary": "Accept-Language", **problem.headers}
    if problem.code in RETRY_AFTER:
        headers["Retry-After"] = RETRY_AFTER[problem.code]
    return Response(
        canonical_json(details.model_dump(exclude_none=True)), status, headers=headers, media_type=MEDIA_TYPE
    )


NAMED: Mapping[str, Mapping[str, str]] = {"phase": PHASES, "command": COMMANDS, "kind": FORMALITIES}
"""Parameters of sentences that are codes, and what those are called."""


def shown(params: Mapping[str, Any], words: Translator) -> dict[str, object]:
    """Return parameters as a person reads them: phases, commands and formalities by name, lists with an “and”."""
    shown: dict[str, object] = {}
    for name, value in params.items():
        match value:
            case list():
                shown[name] = words.listing(word(PHASES, str(part), words) for part in value)
            case str() if name in NAMED:
                shown[name] = word(NAMED[name], value, words)
            case _:
                shown[name] = value
    return shown
