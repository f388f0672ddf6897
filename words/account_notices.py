"""What owners are told of their accounts: a headline for each change, and what follows from some of them."""

from locales import mark

HEADLINES = {
    "password_link_made": mark("A link to choose a new password was made for your account"),
    "password_chosen": mark("A new password was chosen for your account, with a link"),
    "password_changed": mark("The password of your account was changed"),
    "passkey_registered": mark("A passkey was added to your account"),
    "passkey_removed": mark("A passkey of your account was removed"),
    "identity_linked": mark("Your account was linked with an identity at another provider"),
    "identity_unlinked": mark("An identity at another provider was removed from your account"),
    "token_created": mark("A token was made for your account"),
    "token_revoked": mark("A token of your account was revoked"),
    "address_changed": mark("The e-mail address of your account was changed"),
    "account_enabled": mark("Your account was enabled again"),
    "leave_registered": mark("Leave was registered in your name"),
    "leave_end_changed": mark("Your leave was given another end"),
    "leave_revoked": mark("Your leave was revoked"),
}

CONSEQUENCES = {
    "password_link_made": mark("Whoever has the link chooses the password, once. An administrator hands it to you."),
    "password_chosen": mark(
        "Every session was ended and every token revoked. Passkeys and identities are what they were: see whether they "
        "are yours."
    ),
    "password_changed": mark(
        "Every other session was ended and every token revoked. Passkeys and identities are what they were: see "
        "whether they are yours."
    ),
    "passkey_registered": mark("Whoever has it signs in to your account, and signs files in your name."),
    "identity_linked": mark("Whoever the provider vouches for signs in to your account."),
    "token_created": mark("A program that has it acts in your name, until it expires or is revoked."),
    "address_changed": mark("This notice goes to the former address and to the new one."),
    "leave_registered": mark("While it lasts your substitute may sign in your place."),
    "leave_end_changed": mark("While it lasts your substitute may sign in your place."),
}
"""Not for every change: of some the headline says it all."""
