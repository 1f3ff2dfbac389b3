"""What is simulated: scenarios, their regions, and the world that a run starts from."""
