"""Why a received mail waits for a person, in words."""

from locales import Translator, mark

REASONS = {
    "uid_unknown": mark("nobody was told of such an item"),
    "nobody_told": mark("neither sender nor attendee was told of it"),
    "sender_unknown": mark("from a mailbox that was not told of it"),
    "attendee_unknown": mark("for an address that was not told of it"),
    "answers_for_another": mark("one invited person answers for another"),
    "sender_not_authentic": mark("our mail server doubts the sender"),
    "mailbox_shared": mark("several people share the mailbox"),
    "reply_stale": mark("answers an older version, or was overtaken"),
    "not_invited": mark("the item is not in this person's calendar"),
    "wrong_phase": mark("the file takes no answers in its phase"),
    "delegation_closed": mark("the file is closed"),
    "file_unreachable": mark("the file could not be reached for a day"),
    "counter_proposed": mark("proposes another time"),
    "not_an_answer": mark("is no answer but a message to us"),
    "not_ours": mark("is no answer but a message to us"),
    "recurring": mark("speaks of an item that repeats"),
    "partstat_delegated": mark("somebody else is to come instead"),
    "no_calendar": mark("a letter without a calendar's answer"),
    "winmail_dat": mark("packed as winmail.dat, which only Outlook reads"),
    "mail_too_large": mark("too large to be read"),
    "mail_not_fetched": mark("the mailbox would not give it"),
    "given_up": mark("could not be worked off, several times"),
    "message_id_repeated": mark("the name of an earlier mail, with other content"),
    "erased": mark("the person's data were erased"),
    "mail_server_unavailable": mark("asked for once more; the mail server was away"),
}
"""Why a person has to look; of the many ways in which a mail can be damaged there is one sentence."""

DAMAGED = mark("cannot be read (%(code)s)")


def why(code: str, translator: Translator) -> str:
    """Return why a person has to look at a mail."""
    return translator.tr(REASONS[code]) if code in REASONS else translator.tr(DAMAGED, code=code)
