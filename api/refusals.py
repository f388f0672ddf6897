"""What a person hears when the rules refuse a command: a status and a sentence for every code the domain has."""

from typing import NamedTuple

from locales import mark


class Answer(NamedTuple):
    """The HTTP status of a code, and its sentence; `%(name)s` takes a parameter of the refusal."""

    status: int
    sentence: str


REFUSALS: dict[str, Answer] = {
    # Who may
    "role_may_not": Answer(403, mark("Your role may not do this: “%(command)s”.")),
    "not_entitled_to_sign": Answer(403, mark("You do not hold the position that signs here. The attempt is recorded.")),
    "signed_another_step": Answer(403, mark("You signed another step of this proposal; four eyes are asked for.")),
    "own_request": Answer(403, mark("Nobody decides on a file that they opened, wrote, submitted or ran.")),
    "granted_by_oneself": Answer(
        403, mark("Nobody signs by a right that they entered themselves: let somebody else enter it.")
    ),
    "own_trip": Answer(403, mark("Nobody approves a trip of their own.")),
    "desk_of_another_organisation": Answer(
        403, mark("You hold this position at another organisation; the file waits at the desk of its own.")
    ),
    "substitute_not_entitled": Answer(
        403, mark("You sign here as a substitute only inside the registered leave. The attempt is recorded.")
    ),
    "organisation_out_of_reach": Answer(403, mark("The file belongs to an organisation that yours does not reach.")),
    "reference_unknown": Answer(
        422, mark("No register has an entry of this reference and commitment; enter the person, text or file first.")
    ),
    # Which file, and where it stands
    "delegation_unknown": Answer(404, mark("There is no delegation of this id.")),
    "delegation_exists": Answer(409, mark("There is a delegation of this id already.")),
    "delegation_closed": Answer(409, mark("The file is closed; it must be reopened first.")),
    "wrong_phase": Answer(
        409, mark("“%(command)s” is not possible while the file is in the phase “%(phase)s”, only in: %(allowed)s.")
    ),
    "changed_meanwhile": Answer(
        409, mark("Somebody changed this while you were at it. Nothing was written over: look at what stands now.")
    ),
    "malformed_command": Answer(422, mark("The command is not one that this release understands.")),
    # Request and dossier
    "arrival_before_request": Answer(422, mark("The first day, %(starts)s, is before today, %(today)s.")),
    "starts_in_the_past": Answer(422, mark("The first day, %(starts)s, has passed; today is %(today)s.")),
    "ends_before_starts": Answer(422, mark("The last day, %(ends)s, is before the first day, %(starts)s.")),
    "countries_differ_from_stays": Answer(
        422, mark("Days are given for %(country)s, which is not among the countries of the journey.")
    ),
    "run_by_contradicts_register": Answer(
        422, mark("The register knows the organisation as something else: %(register)s.")
    ),
    "request_unchanged": Answer(422, mark("Nothing in the request would change.")),
    "document_exists": Answer(409, mark("There is a document “%(document)s” in the dossier already.")),
    "dossier_full": Answer(422, mark("A dossier holds at most %(limit)s documents.")),
    "limit_unknown": Answer(422, mark("The rules of this file have no limit “%(limit)s”.")),
    "limit_not_breached": Answer(422, mark("The limit “%(limit)s” is kept; there is nothing to justify.")),
    "limit_unjustified": Answer(
        422, mark("The limit “%(limit)s” is exceeded (%(measured)s, allowed %(allowed)s): justify it first.")
    ),
    "limit_absolute": Answer(
        422,
        mark("The limit “%(limit)s” is exceeded (%(measured)s, allowed %(allowed)s), and no justification lifts it."),
    ),
    "no_members": Answer(422, mark("The delegation has no members yet.")),
    "no_approval_chain": Answer(422, mark("The rules of this file have no chain of approval for this direction.")),
    "rules_current": Answer(409, mark("The file is under the newest edition of the rules already.")),
    # Approval
    "step_unknown": Answer(422, mark("The proposal has no step “%(step)s”.")),
    "step_not_open": Answer(409, mark("It is not the turn of the step “%(step)s”.")),
    "step_not_external": Answer(422, mark("The step “%(step)s” is signed here; no outside authority decides it.")),
    "letter_dated_ahead": Answer(422, mark("The letter is dated %(dated)s, after today, %(today)s.")),
    "letter_older_than_proposal": Answer(
        422, mark("The letter is dated %(dated)s; what it answers was submitted on %(submitted)s.")
    ),
    "letter_recorded_already": Answer(409, mark("This letter answers another step or an earlier proposal already.")),
    "change_under_approval": Answer(409, mark("A change is under approval by the rules that stand; let it end first.")),
    "place_signed_already": Answer(409, mark("Your place in the step “%(step)s” is signed already.")),
    "dossier_superseded": Answer(
        409, mark("You signed a dossier that was replaced since. Read the one that stands now, and sign that.")
    ),
    "dossier_unknown": Answer(422, mark("The file never had a dossier of this digest.")),
    "signature_not_of_this_dossier": Answer(
        422, mark("The passkey signed something else: another act, file, step or dossier.")
    ),
    "returned_once_already": Answer(
        422, mark("An incomplete file goes back %(allowed)s time at most, and this one went back already.")
    ),
    "approval_incomplete": Answer(409, mark("Not every step is signed yet.")),
    "nothing_to_approve": Answer(
        409,
        mark("Nothing is to be approved: no policy asks for it, nothing changed, or it is asked for already."),
    ),
    "change_unapproved": Answer(
        409, mark("What changed since the decision is not approved yet: %(parts)s. Submit the change first.")
    ),
    # People
    "member_exists": Answer(409, mark("There is somebody “%(member)s” on the file already.")),
    "member_unknown": Answer(422, mark("There is no delegate “%(member)s” on the delegation.")),
    "participant_unknown": Answer(422, mark("There is nobody “%(member)s” on the file.")),
    "head_exists": Answer(409, mark("The delegation has a head already.")),
    "delegation_full": Answer(422, mark("A file holds at most %(limit)s people.")),
    "formality_reserved": Answer(422, mark("“%(kind)s” follows from the file itself and is not recorded by hand.")),
    # Programme and invitations
    "item_exists": Answer(409, mark("There is an item “%(item)s” in the programme already.")),
    "item_unknown": Answer(422, mark("There is no item “%(item)s” in the programme.")),
    "item_unchanged": Answer(422, mark("Nothing would change for the item “%(item)s”.")),
    "item_not_published": Answer(
        409, mark("Nothing of the item “%(item)s” is published, so there is nothing to go back to; cancel it instead.")
    ),
    "programme_full": Answer(422, mark("A programme holds at most %(limit)s items.")),
    "programme_empty": Answer(422, mark("No item of the programme is meant for calendars.")),
    "programme_unchanged": Answer(409, mark("Everybody knows the programme as it stands.")),
    "not_invited": Answer(422, mark("The item “%(item)s” is not in this person's calendar.")),
    "not_yourself": Answer(403, mark("With a personal link you answer and choose for yourself only.")),
    "collection_missing": Answer(422, mark("No calendar of this person is registered that could be written into.")),
    "channel_unchanged": Answer(409, mark("This person's calendar hears in that way already.")),
    "reply_stale": Answer(409, mark("The answer is to an older version of “%(item)s”, or older than another.")),
    # Mail
    "mail_unknown": Answer(422, mark("This delegation never sent a message “%(message)s”.")),
    "mail_not_dead": Answer(
        409, mark("The message “%(message)s” arrived, as far as is known, or is still being sent.")
    ),
    "mail_erased": Answer(409, mark("The message “%(message)s” was for somebody whose data were erased.")),
    "mail_superseded": Answer(
        409, mark("A later message took the place of “%(message)s”; sending it again would contradict that one.")
    ),
    # Journey and report
    "coordinator_unchanged": Answer(409, mark("This account coordinates the file already.")),
    "coordinator_unknown": Answer(422, mark("There is no coordinator of this id.")),
    "coordinator_signed": Answer(
        409, mark("Whoever signed what is under approval, or in whose name it was signed, cannot come to run the file.")
    ),
    "organisation_ended": Answer(422, mark("The organisation has ended; open the file at whoever follows it.")),
    "coordinator_out_of_reach": Answer(422, mark("The organisation of this coordinator does not reach the file.")),
    "journey_not_begun": Answer(422, mark("The journey begins on %(starts)s; today is %(today)s.")),
    "report_filed_already": Answer(409, mark("The report is filed already.")),
    "report_not_filed": Answer(409, mark("There is no report that waits for sign-off.")),
    "report_not_accepted": Answer(409, mark("The report is not accepted yet.")),
    "report_superseded": Answer(
        409, mark("You signed a report that was replaced since. Read the one that stands now, and sign that.")
    ),
    "outcome_recorded_already": Answer(409, mark("This outcome is recorded already.")),
    # Requests of persons about their own data
    "request_ended": Answer(409, mark("The request is settled or was taken back; nothing is to be done any more.")),
    "request_from_nobody": Answer(422, mark("Say who asks: a person of the register, or a description.")),
    "received_in_future": Answer(422, mark("The request cannot have come later than now.")),
    "request_rule_missing": Answer(422, mark("No rule in force on that day says by when such a request is answered.")),
    "request_answered": Answer(409, mark("Whoever asks was answered already.")),
    "extension_not_allowed": Answer(422, mark("The rule of this request knows no extension.")),
    "extension_repeated": Answer(409, mark("The time of this request was extended already; it is extended once.")),
    "extension_too_long": Answer(422, mark("The rule allows at most %(allowed)s days more.")),
    "extension_too_late": Answer(409, mark("The time has passed already; it can no longer be extended.")),
    "person_known": Answer(409, mark("It is known already who asks.")),
    "person_not_identified": Answer(409, mark("Say first who in the register asks.")),
    "erasure_not_named": Answer(422, mark("Name the erasure that was carried out.")),
    "correction_not_named": Answer(422, mark("Name the corrected version by its commitment.")),
    "not_of_this_kind": Answer(422, mark("This does not show that a request of this kind was carried out.")),
}
