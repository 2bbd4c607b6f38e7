"""Charts in the browser and in a saved notebook."""
