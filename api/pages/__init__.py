"""Pages for people, beside the JSON routes: they parse, call the same functions, and answer in HTML."""
