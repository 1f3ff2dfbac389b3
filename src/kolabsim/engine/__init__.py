"""How runs are made: as a compiled ensemble, and as Mesa agents."""
