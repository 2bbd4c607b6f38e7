"""What a network has learned: tasks, probes, fine-tuning and the detection of replaced words."""
