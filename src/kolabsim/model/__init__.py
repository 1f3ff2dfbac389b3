"""The science, and nothing else: equations, the steps of agents, and measures."""
