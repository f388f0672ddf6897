"""Words in names of organisations, folded: which stand for which, and which say less than the others. Data only.

These are tables in the code and no rules with a date: what they say holds whenever names are compared, nothing is
decided by them, and a table of pairs (`tests/storage/names.csv`) says of every change what is found by it and what no
longer is. They are how offices write their own names and those of their partners, on letterheads and place cards.
"""

Phrase = tuple[str, ...]


def _phrases(*said: str) -> tuple[Phrase, ...]:
    return tuple(tuple(one.split()) for one in said)


COMPANIES: tuple[Phrase, ...] = _phrases(
    "cong ty tnhh", "cong ty co phan", "cong ty", "tap doan", "tnhh mtv", "tnhh", "ctcp", "mtv",
    "limited liability company", "company limited", "co ltd", "company", "corporation", "incorporated", "limited",
    "ltd", "inc", "llc", "corp", "plc", "gmbh", "ag", "sarl", "s a", "sociedad", "s l", "b v", "bv", "n v", "nv", "ooo",
    "kabushiki kaisha", "k k",
)  # fmt: skip
"""Legal forms of those who trade."""

BODIES: tuple[Phrase, ...] = _phrases(
    # Vietnamese
    "lien hiep cac to chuc", "lien hiep hoi", "lien hiep", "hiep hoi", "hoi dong", "hoi", "uy ban",
    # English
    "association", "associations", "assoc", "assn", "society", "union", "federation", "organisation", "organization",
    "organisations", "organizations", "org", "committee", "council", "foundation", "institute", "ngo",
    # German, French, Spanish, Portuguese, Italian, Dutch, Russian
    "e v", "ev", "eingetragener verein", "verein", "gesellschaft", "ges", "verband", "stiftung", "ggmbh",
    "association loi 1901", "societe", "asbl", "vzw", "asociacion", "associacao", "associazione", "onlus", "vereniging",
    "obshchestvo",
    # Japanese, Korean and Chinese forms as they are written in Latin letters
    "kyokai", "npo", "hyeophoe", "xiehui",
)  # fmt: skip
"""Legal forms and words for kinds of bodies that do not trade."""

FORMS: tuple[Phrase, ...] = COMPANIES + BODIES

STOP_WORDS = frozenset(
    {"the", "of", "and", "for", "at", "in", "with", "va", "cua", "cac", "voi", "der", "die", "das", "des", "und"}
    | {"fur", "les", "el", "los"}
)
"""Words that join others; none that Vietnamese names have too, such as `an`, `da`, `du`, `la`, `le`, `to`, `van`."""

WHOLE: tuple[Phrase, ...] = _phrases(
    "uy ban nhan dan", "hoi dong nhan dan", "hoi an", "the thao", "the gioi", "xa hoi", "quoc hoi", "dai hoi",
    "le hoi", "hoi cho", "hoi nghi", "hoi nhap", "hoi thao",
)  # fmt: skip
"""Words that hold a form or a joining word and are none: authorities, a town, sport, the world, parliament, a fair."""

STANDS_FOR: dict[Phrase, Phrase] = {
    tuple(short.split()): tuple(long.split())
    for long, shorts in {
        # Authorities and bodies
        "uy ban nhan dan": ("ubnd",),
        "hoi dong nhan dan": ("hdnd",),
        "mat tran to quoc": ("mttq",),
        "cong hoa xa hoi chu nghia": ("chxhcn", "ch xhcn"),
        "cong hoa dan chu nhan dan": ("chdcnd",),
        "cong hoa lien bang": ("chlb",),
        "trung uong": ("tw",),
        "ban chap hanh": ("bch",),
        # Schools, houses
        "dai hoc": ("dh",),
        "dai hoc quoc gia": ("dhqg",),
        "cao dang": ("cd",),
        "trung hoc pho thong": ("thpt",),
        "nha xuat ban": ("nxb",),
        "khach san": ("ks",),
        "university": ("univ",),
        "international": ("intl", "int l"),
        "government": ("govt",),
        "department": ("dept",),
        "center": ("centre",),
        # Towns
        "thanh pho": ("tp",),
        "thi xa": ("tx",),
        "ho chi minh": ("hcm", "hochiminh"),
        "thanh pho ho chi minh": ("tphcm", "hcmc"),
        "ha noi": ("hanoi",),
        "da nang": ("danang",),
        "hai phong": ("haiphong",),
        "can tho": ("cantho",),
        "sai gon": ("saigon",),
        # Countries: as two stand beside each other in the name of a friendship association, and in full
        "viet": ("viet nam", "vietnam", "vn"),
        "nhat": ("nhat ban",),
        "han": ("han quoc",),
        "trung": ("trung quoc",),
        "my": ("hoa ky",),
        "usa": ("united states of america", "united states", "u s a", "u s"),
        "uk": ("united kingdom", "great britain", "u k"),
        "lao": ("laos",),
        "campuchia": ("cam pu chia", "kampuchea", "cambodia"),
        "cuba": ("cu ba",),
        "malaysia": ("ma lai xi a", "malaixia"),
        "indonesia": ("in do ne xi a", "indonexia"),
        "singapore": ("xinh ga po", "singapo"),
        "philippines": ("phi lip pin", "philippin"),
        "myanmar": ("mi an ma", "mianma"),
        "hungary": ("hung ga ri", "hungari"),
        "bulgaria": ("bun ga ri", "bungari"),
    }.items()
    for short in shorts
}  # fmt: skip
"""What is written shortly or in another way, and what it is compared as. Read once, the longest first."""

GENERIC: tuple[Phrase, ...] = _phrases(
    # Of what level or kind; names are said with them and without them
    "tinh", "thanh pho", "thi xa", "quan", "huyen", "phuong", "xa", "trung uong", "truong", "khach san", "nha hang",
    "khu nghi duong", "nuoc", "cong hoa xa hoi chu nghia", "cong hoa dan chu nhan dan", "cong hoa lien bang",
    "cong hoa", "lien bang", "vuong quoc",
    "city", "province", "provincial", "prefecture", "prefectural", "municipal", "municipality", "metropolitan",
    "district", "hotel", "restaurant", "resort", "socialist republic", "people s republic", "federal republic",
    "republic", "kingdom",
)  # fmt: skip
"""Words that one name of a body may have and another one not. Where both have one of their own they are two bodies:
a province's committee is not its capital's, and a hotel no restaurant."""
