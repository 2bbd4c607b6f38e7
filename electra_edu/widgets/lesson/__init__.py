"""What every lesson has: its header, the map, quizzes, predictions and checks."""
