"""Which messages the code and the templates ask for, and how they join the catalogues.

`python -m locales` runs :func:`update_catalogues`; a new message then stands in ``vi/…/legation.po`` with nothing said.
"""

from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po

from locales.catalogue import FOLDER, LANGUAGES, Language, catalogue_path, read_catalogue

ROOT: Final = FOLDER.parent

# The first pattern that fits a path decides; folders that begin with a dot or an underscore are never entered.
METHODS: Final = [
    ("tests/**", "ignore"),
    ("var/**", "ignore"),
    ("build/**", "ignore"),
    ("dist/**", "ignore"),
    ("**.py", "python"),
    ("templates/**.html", "jinja2"),
    ("templates/**.txt", "jinja2"),
    ("templates/**.j2", "jinja2"),
]

# Function names, as methods too: `tr` and `ntr` of Translator, `mark`, and what Jinja's i18n extension calls.
KEYWORDS: Final[dict[str, tuple[int, ...] | None]] = {
    "tr": None,
    "ntr": (1, 2),
    "mark": None,
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
}


def messages_in_use(root: Path = ROOT) -> Catalog:
    """Every message that Python files and Jinja templates under `root` ask for, with the files that do."""
    catalogue = Catalog(domain="legation")
    for filename, _line, id, _comments, _context in extract_from_dir(root, METHODS, keywords=KEYWORDS):
        catalogue.add(id, locations=[(filename, 0)])
    return catalogue


def update_catalogues(root: Path = ROOT) -> dict[str, list[str]]:
    """Write every catalogue anew: new messages join it, unused ones leave, what is translated stays.

    English takes the key as its text. Returns, for each language, the messages that still say nothing.
    """
    in_use = messages_in_use(root)
    silent: dict[str, list[str]] = {}
    for language in LANGUAGES:
        catalogue = read_catalogue(language)
        catalogue.update(in_use, no_fuzzy_matching=True)
        if language == "en":
            for message in catalogue:
                message.string = message.id
        _write(language, catalogue)
        silent[language] = [str(message.id) for message in catalogue if message.id and not says_something(message)]
    return silent


def says_something(message: Message) -> bool:
    """Whether each form of `message` has a text that may be shown: neither empty nor fuzzy."""
    texts = message.string if isinstance(message.string, tuple | list) else [message.string]
    return all(texts) and not message.fuzzy


def _write(language: Language, catalogue: Catalog) -> None:
    path = catalogue_path(language)
    # Babel would put the day and its own version into the header, so that each update changed it.
    header = path.read_bytes().partition(b"\n\n")[0]
    body = BytesIO()
    write_po(body, catalogue, width=120, sort_output=True, omit_header=True, ignore_obsolete=True, include_lineno=False)
    path.write_bytes(header + b"\n\n" + body.getvalue().lstrip(b"\n"))
