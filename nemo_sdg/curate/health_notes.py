"""Notes on the health of the corpus in plain sentences, such as a bias of the seeds or of the generator."""

import math
from collections import Counter
from collections.abc import Iterable

from nemo_sdg.records.health import Differences, Figures, Note, Opening, Share, Stages

NEAR = 0.5
"""Jaccard similarity of character 5-grams from which a question counts as near its seed"""
FAULTS = {"length": "cut"}
"""finish reasons that a reader would not understand"""


def missed_by_judge(reasons: Counter[str]) -> Iterable[Note]:
    """Samples that the judge was to compare with evaluation rows, by the reason why its reply could not be read."""
    if reasons:
        whys = ", ".join(f"{num:,} {FAULTS.get(name, name)}" for name, num in reasons.most_common())
        verb = "sample was" if reasons.total() == 1 else "samples were"
        detail = f"{reasons.total():,} {verb} not fully compared with evaluation rows: unreadable replies ({whys})"
        yield {"group": "judge", "about": "judge", "detail": detail}


def notes(group: str, stages: Stages) -> Iterable[Note]:
    """Plain sentences on what stands out in the curated samples, each with the seeds' own figure beside it."""
    after, seeds = stages.get("after"), stages.get("seeds", Figures())
    if after is None:
        return
    balances = [("positions", "position", after.get("positions"), seeds.get("positions"))]
    if not group.startswith("family "):
        balances.append(("labels", "label", after.get("labels"), seeds.get("labels")))
    for about, name, balance, of_seeds in balances:
        if balance is not None:
            commonest, share = min(balance["shares"].items(), key=lambda item: (-item[1], item[0]))
            expected = balance["expected"]
            if _stands_out(share, expected, balance["of"]):
                own = of_seeds["shares"].get(commonest, 0.0) if of_seeds else 0.0
                yield {
                    "group": group,
                    "about": about,
                    "detail": (
                        f"{name} {commonest!r} is right in {share:.0%}, {expected:.0%} expected, {own:.0%} of the seeds"
                    ),
                }
    longest = after.get("longest_option_is_right")
    if longest and _stands_out(longest["share"], longest["expected"], longest["of"]):
        own = seeds.get("longest_option_is_right", Share()).get("share", 0.0)
        detail = (
            f"the longest option is right in {longest['share']:.0%}, {longest['expected']:.0%} expected, "
            f"{own:.0%} of the seeds"
        )
        yield {"group": group, "about": "longest_option_is_right", "detail": detail}
    near = after.get("near_seed")
    if near and _stands_out(near["share"], 0.1, near["of"]):
        yield {
            "group": group,
            "about": "near_seed",
            "detail": f"{near['share']:.0%} of the new questions are near a seed of theirs (similarity {NEAR} or more)",
        }
    opening = after["diversity"].get("commonest_opening")
    if opening:
        own_opening = seeds.get("diversity", Differences()).get("commonest_opening", Opening(words="", share=0.0))
        if _stands_out(opening["share"], max(0.2, own_opening["share"]), after["diversity"]["of"]):
            detail = (
                f"{opening['share']:.0%} of the questions begin with {opening['words']!r}; of the seeds "
                f"{own_opening['share']:.0%} share one beginning"
            )
            yield {"group": group, "about": "commonest_opening", "detail": detail}


def _stands_out(share: float, expected: float, num: int) -> bool:
    """More than a quarter above what is expected, and more than four standard deviations."""
    return num > 0 and share > 1.25 * expected and (share - expected) > 4 * math.sqrt(expected * (1 - expected) / num)
