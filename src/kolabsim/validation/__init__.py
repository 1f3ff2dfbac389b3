"""How far the model can be trusted: published facts, and what it makes of each."""
