"""One module for each step, named after the folder that the step writes. pipeline/order.py knows their order."""
