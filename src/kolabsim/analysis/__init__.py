"""What results say: comparisons, and how sure they are."""
