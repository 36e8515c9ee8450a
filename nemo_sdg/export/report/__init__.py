"""report/index.html: one page that shows a run, made only from the run's files.

rows.py        streams files that may hold anything, and picks records without holding them
counts.py      counts over the whole run: funnel, licences, agreement, tokens, requests, contamination
records.py     the records that are shown: seed, sample, votes, prompts, both training texts
quality.py     the new questions compared with their seeds: fluency, diversity
verdicts.py    the first screen: is this corpus good, and why
shown.py       what is shown of a record, and the ten samples to read first
sections/      the other figures, each with its table
packed.py      packed documents, token by token
against.py     two runs side by side
search.py      a search over all samples, in static files
html.py        markup, and the content security policy of the pages
page.py        writes the pages
"""

from nemo_sdg.export.report.page import is_current, write_against, write_report, write_search_pages
