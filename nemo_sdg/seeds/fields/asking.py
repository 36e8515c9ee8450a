"""What a task asks of its rows, where the text that its prompt shows does not say it.

    asking = Asking(templates, kind, frame, "en")
    asking.complete(None, "I loved every minute.", row)     ("I loved every minute.", "Is the review positive?")

The words come from the task's description. A task that shows a text and labels, and says no more, asks which of them
fits. Its template decides that, for all its rows: a text with a question mark is a text to be labelled.
"""

import re
from collections.abc import Callable

from nemo_sdg.records import Frame, Kind
from nemo_sdg.seeds.fields.reading import Unrenderable
from nemo_sdg.seeds.prompts.labels import MENTIONS_QUESTION, WHICH_FITS
from nemo_sdg.seeds.prompts.parts import (
    asks_nothing,
    asks_something,
    columns_of,
    has_sections,
    instructs,
    shows_question,
    split_prompt,
    split_written_prompt,
    without_cues,
    words_around,
)
from nemo_sdg.seeds.prompts.templates import Row, TaskTemplates, names_column, text_reader

_ASKS = re.compile(r"[?？؟;՞]|_{1,}|\.\.\.\s*\Z|…\s*\Z")
_ENDS_ASKING = re.compile(r"""[?？؟;՞:：=…]["'”»)\]]*\s*\Z|\.\.\.\s*\Z|(?<!\w)_+(?!\w)""")
_ONE_WORD = re.compile(r"[^\W\d_]+")
_ONE_NUMBER = re.compile(r"[-+−]?\d[\d.,]*|True|False")
_LONG_COLUMNS = frozenset(["abstract", "article", "code", "dialogue", "document", "news", "passage", "review", "story"])
"""columns whose texts ask nothing, however long they are"""


class Asking:
    """`has_labels`: the task chooses among labels that are the same for each row."""

    def __init__(self, templates: TaskTemplates, kind: str, frame: str, language: str, *, has_labels: bool) -> None:
        self._templates, self._language = templates, language
        self._is_label_task = frame == Frame.classification or kind == Kind.free_text
        self._has_labels = has_labels and frame == Frame.classification
        self._has_choices = has_labels or templates.doc_to_choice is not None or kind == Kind.multiple_choice
        prompt = templates.doc_to_text
        self._is_empty = isinstance(prompt, str) and not prompt.strip()
        is_template = isinstance(prompt, str) and not prompt.strip().isdigit() and not names_column(prompt)
        self.description = self._asking_description(prompt if is_template else None)
        self._by_column = isinstance(prompt, str) and (
            prompt.strip() in ("question", "query", "problem") or (is_template and shows_question(prompt))
        )
        self._only_shows = isinstance(prompt, str) and not self._by_column and self.description is None
        if is_template:
            self._only_shows = self._only_shows and asks_nothing(prompt) and not self._names_labels(prompt)
        self._shows_passage = isinstance(prompt, str) and columns_of(prompt) <= _LONG_COLUMNS

    def _names_labels(self, prompt: str) -> bool:
        """Whether the words of the prompt name two labels that the task chooses from: `True or False: {{claim}}`."""
        choices = self._templates.doc_to_choice
        labels = list(choices.values()) if isinstance(choices, dict) else choices if isinstance(choices, list) else []
        fixed = words_around(prompt).casefold()
        named = [re.search(rf"(?<!\w){re.escape(str(label).casefold())}(?!\w)", fixed) for label in labels]
        return sum(map(bool, named)) > 1

    def _asking_description(self, template: str | None) -> Callable[[Row], str] | None:
        """The task's description where it says what is asked: the row is only a text that asks nothing itself."""
        description = self._templates.config.get("description")
        if not isinstance(description, str) or not description.strip():
            return None
        if template is not None and (not template.strip() or asks_something(template) or has_sections(template)):
            return None
        if not self._is_label_task and MENTIONS_QUESTION.search(description):
            return None
        return text_reader(description.strip())

    def says_it_beside(self) -> None:
        """The prompt parts a passage from what is asked of it, so the description of a label task is not needed."""
        if self._is_label_task:
            self.description = None

    def keeps_cue(self) -> bool:
        """Whether the words at the prompt's end are all that asks: `{{word}}\\nAntonym:`."""
        prompt = self._templates.doc_to_text
        if not prompt.strip() or asks_something(prompt) or self.description is not None:
            return False
        return self._is_label_task or not instructs(prompt)

    def split(self, prompt: str, row: Row) -> tuple[str | None, str]:
        """Passage and question of a prompt that was rendered whole."""
        if isinstance(self._templates.doc_to_text, str):
            return split_prompt(prompt)
        keep_cue = self._is_label_task and self.description is None
        passage, question, only_shows = split_written_prompt(prompt, row, keep_cue=keep_cue)
        self._only_shows = only_shows and self.description is None
        return passage, question

    def complete(self, passage: str | None, shown: str, row: Row, *, is_prompt: bool = False) -> tuple[str | None, str]:
        """Passage and question. `is_prompt`: the row's text is a prompt with labels of its own (`Q: ... A:`). Raises
        Unrenderable where nothing says what is asked.
        """
        if self.description is not None:
            if self._is_label_task and not passage and not shown.strip() and not self._is_empty:
                raise Unrenderable("empty_question", "the row has no text to be labelled")
            if self._is_label_task or not (self._by_column and _ASKS.search(shown)):
                text = without_cues(shown) if self._is_label_task else shown
                return text if not passage else f"{passage}\n{text}", self.description(row)
        elif self._only_shows and not self._is_empty and shown.strip() and not is_prompt:
            if self._has_labels:
                whole = "\n".join(part for part in (passage, shown) if part)
                return whole, WHICH_FITS.get(self._language, WHICH_FITS["en"])
            if (
                passage is None
                and not self._has_choices
                and not _ENDS_ASKING.search(shown)
                and (self._shows_passage or _ONE_WORD.fullmatch(shown.strip()))
            ):
                raise _asks_nothing(shown)
        if passage is None and not self._has_choices and _ONE_NUMBER.fullmatch(shown.strip()):
            raise _asks_nothing(shown)
        return passage, shown


def _asks_nothing(shown: str) -> Unrenderable:
    return Unrenderable("asks_nothing", f"the prompt is {shown.strip()[:60]!r}; say in it what is asked")
