"""The science, and nothing else: equations, agents' steps, and what is measured."""
