"""One training step: forward and backward pass, what they measure, the update of the weights, and the way back."""
