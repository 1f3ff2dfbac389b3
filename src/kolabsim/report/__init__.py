"""How people see results: figures, reports, and the folder in which they are kept."""
