"""iCalendar: zones, items, messages to attendees."""
