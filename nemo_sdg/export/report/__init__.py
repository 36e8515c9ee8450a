"""report/index.html: one page that shows a run, read off the run's files alone.

rows.py       streams files that may hold anything, and picks records without holding them
counts.py     what is counted over the whole run: funnel, licences, agreement, tokens, requests, contamination
records.py    the records that are shown: seed, sample, votes, prompts, both training texts
figures.py    counts as figures, each with its table
charts.py     figures drawn by Matplotlib as SVG that follows the page's theme
page.py       all of it as one file
"""

from nemo_sdg.export.report.page import is_current, write_report

__all__ = ["is_current", "write_report"]
