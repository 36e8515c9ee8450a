"""report/index.html: one page that shows a run, read off the run's files alone.

rows.py        streams files that may hold anything, and picks records without holding them
counts.py      what is counted over the whole run: funnel, licences, agreement, tokens, requests, contamination
records.py     the records that are shown: seed, sample, votes, prompts, both training texts
quality.py     how the new questions read beside their seeds: fluency, diversity
verdicts.py    the first screen: is this corpus good, and why
first.py       ten samples to read
sections/      everything else as figures, each with its table
packed.py      packed documents as the trainer sees them
against.py     two runs side by side
search.py      a search over all samples, in files
html.py        markup, and the policy of the pages
page.py        all of it as pages
"""

from nemo_sdg.export.report.page import is_current, write_against, write_report, write_search_pages

__all__ = ["is_current", "write_against", "write_report", "write_search_pages"]
