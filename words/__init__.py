"""What people read of a file: codes, times, rules and events in words. Knows the languages, and no layer."""
