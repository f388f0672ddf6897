"""One language's sentences, dates, times and sums."""

from collections.abc import Iterable
from datetime import date, datetime, time
from functools import cache
from typing import Final

from babel import Locale
from babel.dates import format_date, get_timezone_location
from babel.lists import format_list
from babel.numbers import format_decimal

from locales.catalogue import Language, translations

NO_BREAK_SPACE: Final = "\N{NO-BREAK SPACE}"

# Dates are written as Decree 30/2020 and British usage have them, which CLDR's standard patterns do not give.
LONG_DATE: Final = {"vi": "EEEE, 'ngày' d 'tháng' M 'năm' y", "en": "EEEE, d MMMM y"}
PLAIN_DATE: Final = {"vi": "'ngày' d 'tháng' M 'năm' y", "en": "d MMMM y"}
SHORT_DATE: Final = {"vi": "dd/MM/y", "en": "d MMM y"}
WEEKDAY_DATE: Final = {"vi": "EEEE, dd/MM/y", "en": "EEE d MMM y"}

# The state and its organisations write their country's name so in English; CLDR does not.
VIET_NAM: Final = ("Vietnam", "Viet Nam")


class Translator:
    """Everything that differs between Vietnamese and English. Immutable and safe to share between threads."""

    def __init__(self, language: Language) -> None:
        """Read the catalogue of `language`; an unknown language is refused by ValueError."""
        self.language: Final[Language] = language
        self._translations: Final = translations(language)
        self._locale: Final = Locale.parse({"vi": "vi", "en": "en_GB"}[language])

    def tr(self, message: str, /, **values: object) -> str:
        """The sentence for `message`, its ``%(name)s`` places filled; a literal percent sign is written ``%%``.

        A message that no catalogue knows is shown in English, as the key stands.
        """
        return self._translations.gettext(message) % values

    def ntr(self, singular: str, plural: str, count: int, /, **values: object) -> str:
        """The sentence for `count` things; ``%(count)s`` is filled with the grouped number."""
        text = self._translations.ngettext(singular, plural, count)
        return text % {"count": self.number(count), **values}

    def gettext(self, message: str) -> str:
        """The unfilled sentence, for ``install_gettext_callables(..., newstyle=True)`` of Jinja."""
        return self._translations.gettext(message)

    def ngettext(self, singular: str, plural: str, count: int) -> str:
        """The unfilled sentence for `count` things, for Jinja."""
        return self._translations.ngettext(singular, plural, count)

    def long_date(self, day: date) -> str:
        """``Thứ Hai, ngày 6 tháng 4 năm 2026``; ``Monday, 6 April 2026``. An aware datetime is read in its own zone."""
        return self._date(day, LONG_DATE)

    def plain_date(self, day: date) -> str:
        """``ngày 6 tháng 4 năm 2026``; ``6 April 2026``."""
        return self._date(day, PLAIN_DATE)

    def official_date(self, day: date) -> str:
        """The date of an administrative document: ``ngày 06 tháng 02 năm 2026``; ``6 February 2026``.

        Decree 30/2020 (domain.md [22]) wants a leading zero for days below 10 and for the months 1 and 2.
        """
        if self.language == "en":
            return self.plain_date(day)
        month = f"{day.month:02d}" if day.month < 3 else str(day.month)
        return f"ngày {day.day:02d} tháng {month} năm {day.year}"

    def short_date(self, day: date) -> str:
        """``06/04/2026``; ``6 Apr 2026``."""
        return self._date(day, SHORT_DATE)

    def weekday_date(self, day: date) -> str:
        """``Thứ Hai, 06/04/2026``; ``Mon 6 Apr 2026``."""
        return self._date(day, WEEKDAY_DATE)

    def clock_time(self, at: datetime | time) -> str:
        """``09:00``, on the clock of the value's own zone, in both languages."""
        return f"{at.hour:02d}:{at.minute:02d}"

    def date_and_time(self, at: datetime) -> str:
        """``09:00, 06/04/2026``; ``09:00, 6 Apr 2026``, on the clock of the value's own zone."""
        return f"{self.clock_time(at)}, {self.short_date(at)}"

    def zone_label(self, at: datetime) -> str:
        """Whose clock `at` is read on: ``giờ Việt Nam (UTC+7)``; ``Viet Nam Time (UTC+7)``; ``UTC+2`` for an offset.

        The offset is that of the instant, so summer time shows. A naive datetime is refused by ValueError.
        """
        offset = at.utcoffset()
        if offset is None:
            raise ValueError("a time without a zone has no zone label")
        minutes = int(offset.total_seconds()) // 60
        hours, rest = divmod(abs(minutes), 60)
        sign = "-" if minutes < 0 else "+"
        utc = "UTC" if minutes == 0 else f"UTC{sign}{hours}" + (f":{rest:02d}" if rest else "")
        zone = getattr(at.tzinfo, "key", None)
        if zone is None or zone in {"UTC", "Etc/UTC"}:
            return utc
        place = get_timezone_location(zone, locale=self._locale)
        if "(" in place:  # a country of several zones: CLDR adds the city in brackets, which is all one wants to know
            city = get_timezone_location(zone, locale=self._locale, return_city=True)
            place = f"Giờ {city}" if self.language == "vi" else f"{city} Time"
        place = place.replace(*VIET_NAM)
        return f"{place[0].lower()}{place[1:]} ({utc})" if self.language == "vi" else f"{place} ({utc})"

    def date_range(self, first: date, last: date) -> str:
        """Both days and everything between: ``từ ngày 6 đến ngày 12 tháng 4 năm 2026``; ``6–12 April 2026``.

        What the two days share is said once. One day alone is a plain date. Refuses `last` before `first`.
        """
        if last < first:
            raise ValueError("the last day of a range is before its first")
        if first == last:
            return self.plain_date(first)
        same_year = first.year == last.year
        same_month = same_year and first.month == last.month
        if self.language == "vi":
            pattern = "'ngày' d" if same_month else "'ngày' d 'tháng' M" if same_year else PLAIN_DATE["vi"]
            return f"từ {format_date(first, pattern, self._locale)} đến {self.plain_date(last)}"
        if same_month:
            return f"{first.day}–{self.plain_date(last)}"
        start = format_date(first, "d MMMM" if same_year else "d MMMM y", self._locale)
        return f"{start} – {self.plain_date(last)}"

    def number(self, value: int) -> str:
        """``1.250``; ``1,250``."""
        return format_decimal(value, locale=self._locale)

    def money_vnd(self, amount: int) -> str:
        """`amount` in whole đồng: ``201.000.000 ₫``; ``201,000,000 VND``, with a no-break space."""
        return f"{self.number(amount)}{NO_BREAK_SPACE}{'₫' if self.language == 'vi' else 'VND'}"

    def listing(self, items: Iterable[str]) -> str:
        """``Hà Nội, Huế và Đà Nẵng``; ``Hà Nội, Huế and Đà Nẵng``. Nothing gives an empty text."""
        return format_list(list(items), locale=self._locale)

    def country(self, code: str) -> str:
        """The name of a country by its ISO 3166 alpha-2 code, ``JP`` → ``Nhật Bản``; an unknown code stays as it is."""
        name = str(self._locale.territories.get(code.upper(), code))
        return name.replace(*VIET_NAM)

    def _date(self, day: date, patterns: dict[str, str]) -> str:
        return format_date(day, patterns[self.language], self._locale)


@cache
def translator(language: Language) -> Translator:
    """The one translator of `language`; an unknown language is refused by ValueError."""
    return Translator(language)
