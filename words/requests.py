"""The codes of requests of people about their own data, in words."""

from locales import Translator, mark

KINDS = {
    "access": mark("access to personal data"),
    "correction": mark("correction of personal data"),
    "erasure": mark("erasure of personal data"),
    "objection": mark("objection to the use of personal data"),
    "withdrawal": mark("withdrawal of a consent"),
    "restriction": mark("restriction of the use of personal data"),
}

WAYS = {
    "in_person": mark("in person"),
    "letter": mark("by letter"),
    "email": mark("by e-mail"),
    "telephone": mark("by telephone"),
    "form": mark("by form"),
}

STATES = {
    "received": mark("received"),
    "answered": mark("answered, not yet done"),
    "carried_out": mark("carried out"),
    "refused": mark("refused with a reason"),
    "taken_back": mark("taken back"),
}

REASONS = {
    "identity_not_proven": mark("who asks was not proven"),
    "not_authorised": mark("who asks may not ask for this person"),
    "nothing_held": mark("nothing is held of them"),
    "required_by_law": mark("a law demands that it is kept"),
    "rights_of_others": mark("it would reach into the rights of others"),
    "repeated": mark("it repeats a request that was settled"),
}

DATA = {
    "sent_mail": mark("mails that were sent"),
    "travel_details": mark("passport numbers and dietary needs"),
    "person_details": mark("details of people without an open file"),
    "attachments": mark("attachments of closed files"),
    "feeds": mark("addresses of feeds and pages"),
    "request_texts": mark("texts of requests of people"),
    "sessions": mark("sessions that are over"),
    "sign_in_links": mark("links to choose a password"),
    "challenges": mark("challenges that expired"),
    "tokens": mark("tokens that are over"),
    "repetitions": mark("marks of repeated requests"),
    "directory_imports": mark("imports into the directory"),
    "trail": mark("the trail of each file"),
    "archive": mark("the archive of histories"),
    "checkpoints": mark("checkpoints"),
    "register_log": mark("the log of the registers"),
}

REMOVED = {
    "sent_mail": mark(
        "Each is named by its place in the ledger of mails. Address and content are removed; that it was sent stays."
    ),
    "travel_details": mark(
        "Each is a person by reference. Passport number and dietary needs are removed; the rest stays."
    ),
    "person_details": mark(
        "Each is a person by reference. The plan only proposes them: an erasure takes two administrators."
    ),
    "attachments": mark("Each is a file by its digest. Trails keep the digest."),
    "request_texts": mark(
        "Each is a request. What was written about it is removed; that it was made and settled stays."
    ),
}
"""What the entries of a plan are, by kind, and what is removed of them; of kinds that are not here the whole row."""

PLANS = {
    "open": mark("waits to be looked at"),
    "agreed": mark("is being applied"),
    "applied": mark("applied"),
    "stopped": mark("stopped"),
    "superseded": mark("superseded by a later plan"),
}

OUTCOMES = {
    "removed": mark("removed"),
    "proposed": mark("proposed for erasure"),
    "kept": mark("kept: no longer due"),
}

UNITS = {
    "day": mark("%(count)s days"),
    "month": mark("%(count)s months"),
    "year": mark("%(count)s years"),
}


def kept_for(keep: str, translator: Translator) -> str:
    """Return how long something is kept: `10 years`, `for ever`."""
    if keep == "for_ever":
        return translator.tr("for ever")
    count, unit = keep.split()
    return translator.tr(UNITS[unit.removesuffix("s")], count=count)
