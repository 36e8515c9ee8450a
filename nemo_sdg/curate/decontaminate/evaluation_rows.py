"""The evaluation rows of a stored index, as profiles: with the rarity of their terms among all rows."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np

from nemo_sdg.curate.decontaminate.by_words import Profile, answer_terms, terms
from nemo_sdg.curate.decontaminate.evaluation_index import BOILERPLATE, StoredIndex, rarity_weight
from nemo_sdg.curate.decontaminate.questions import Item, read_item
from nemo_sdg.text.normalize import token_hashes


class EvaluationRows:
    """Memory-mapped; the profiles of rows that many questions are near are kept."""

    def __init__(self, stored: StoredIndex) -> None:
        self.stored = stored
        self.num_rows = stored.num_rows
        self.row_profile = lru_cache(maxsize=1 << 14)(self._row_profile)

    def row(self, number: int) -> dict[str, Any]:
        return self.stored.row(number)

    def _rarity(self, names: Iterable[str]) -> dict[str, float]:
        ordered = sorted(names)
        counts = self.stored.terms.count(token_hashes(ordered))
        return dict(
            zip(
                ordered,
                (np.log((self.num_rows + 1) / np.maximum(counts, 1)) / np.log(self.num_rows + 1)).tolist(),
                strict=True,
            )
        )

    def profile(self, item: Item) -> Profile:
        """The item with the rarity of its terms among the evaluation rows."""
        return Profile(
            item=item,
            question=self._rarity(terms(item.question)),
            answers=self._rarity(answer_terms(item)),
            answer_words=self._rarity(terms(word for answer in sorted(item.answers) for word in answer)),
            passage=terms(item.passage),
        )

    def _row_profile(self, number: int) -> Profile:
        return self.profile(read_item(self.stored.row(number)))

    def sharing_words(self, sample: Profile, num: int) -> list[int]:
        """The evaluation rows that share most of their rare words, answers and options with the sample, best first."""
        positions, counts = self.stored.terms.find(token_hashes(sorted(sample.question.keys() | sample.answers.keys())))
        positions, counts = positions[counts <= BOILERPLATE], counts[counts <= BOILERPLATE]
        rows, owner = self.stored.terms.gather(positions, counts)
        found, inverse = np.unique(rows, return_inverse=True)
        shared = np.bincount(inverse, weights=rarity_weight(self.num_rows, counts)[owner], minlength=len(found))
        likeness = shared / np.sqrt(self.stored.term_weights[found] + np.log(self.num_rows + 1))
        neighbours: list[int] = found[np.lexsort((found, -likeness))[:num]].tolist()
        return neighbours
