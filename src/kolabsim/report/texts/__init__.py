"""Long prose of reports, one file a subject."""
