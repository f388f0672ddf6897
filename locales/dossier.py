"""What a dossier calls its figures, and what may have become of a part: said alike on pages and at the command line."""

from locales import mark

CHANGES = {
    "added": mark("new"),
    "removed": mark("gone"),
    "changed": mark("changed"),
    "moved": mark("stands elsewhere"),
}

FIGURES = {
    "direction": mark("Direction"),
    "title": mark("Title"),
    "purpose": mark("Purpose"),
    "organisation": mark("Organisation"),
    "partner": mark("Partner"),
    "countries": mark("Countries"),
    "places": mark("Places"),
    "starts": mark("First day"),
    "ends": mark("Last day"),
    "grade": mark("Grade"),
    "conference": mark("Conference"),
    "issuer": mark("Issuer"),
    "provincial_chair": mark("Provincial chair receives"),
    "led_by_city_leaders": mark("Led by city leaders"),
    "key_leaders": mark("Key leaders"),
    "run_by": mark("Run by"),
    "head_level": mark("Level of the head"),
    "stays": mark("Days in each country"),
    "total_vnd": mark("At most"),
}

GRADES = {"A": mark("Grade A"), "B": mark("Grade B"), "C": mark("Grade C")}
CONFERENCES = {
    "none": mark("No international conference"),
    "prime_minister": mark("An international conference at the prime minister’s level"),
    "other": mark("An international conference at another level"),
}
RUNNERS = {
    "central_union": mark("The central union"),
    "provincial_union": mark("A provincial union"),
    "member_organisation": mark("A member organisation"),
}
HEAD_LEVELS = {
    "standard": mark("Not a high-level leader"),
    "high": mark("A high-level leader heads the delegation"),
}

OPTIONS = {"grade": GRADES, "conference": CONFERENCES, "run_by": RUNNERS, "head_level": HEAD_LEVELS}
"""What may be chosen of a figure, by its code."""
