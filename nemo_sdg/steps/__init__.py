"""One module a step, named after the directory that the step writes; pipeline.py knows their order."""
