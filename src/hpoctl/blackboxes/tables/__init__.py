"""Tables that people bring: their files, the checks they pass, and how they are stored."""
