"""What the directory names by codes, in words."""

from locales import mark

KINDS = {"partner": mark("partner"), "host": mark("host institution"), "contact": mark("contact")}

NATURES = {
    "friendship_association": mark("friendship association"),
    "mass_organisation": mark("mass organisation"),
    "authority": mark("authority"),
    "mission": mark("diplomatic mission"),
    "international": mark("international organisation"),
    "school": mark("school or university"),
    "company": mark("company"),
    "other": mark("other"),
}

ACTIONS = {
    "added": mark("entered"),
    "imported": mark("imported"),
    "changed": mark("changed"),
    "merged": mark("gave way to"),
    "absorbed": mark("stands also for"),
    "split": mark("split from"),
    "released": mark("no longer stands for"),
}

REASONS = {
    "same_name": mark("same name"),
    "similar_name": mark("similar name"),
    "same_web": mark("same web address"),
    "same_email": mark("same e-mail address"),
}

VERDICTS = {
    "new": mark("new"),
    "similar": mark("looks like an entry"),
    "known": mark("is known already"),
    "bad": mark("cannot be entered"),
}

DOES = {"enter": mark("is entered"), "leave": mark("is left out"), "name": mark("becomes a further name")}
