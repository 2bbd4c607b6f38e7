"""The two networks and the step between them: mask, generate, replace, detect."""
