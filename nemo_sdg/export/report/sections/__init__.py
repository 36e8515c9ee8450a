"""The sections of the page after its first screen, each from the counts of a run.

parts.py       the parts of a section
charts.py      figures drawn by Matplotlib as SVG that follows the page's theme
mixture.py     shares of the families, packed tokens, lengths
samples.py     agreement, places of the right option, languages, diversity
origins.py     licences, sources, contamination
speed.py       tokens per second, saturation, cost
ablation.py    comparison of the arms
"""
