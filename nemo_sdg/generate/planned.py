"""How many questions are planned for a seed. Forecast and check ask too, without what writes and reads questions."""

import math

from nemo_sdg.config import GenerateSection, OriginShare, PerSeed

MOST_PER_SEED = 35
FULL_UP_TO = 1000
"""a task with up to so many seeds gets MOST_PER_SEED questions per seed; a larger one gets that times
sqrt(FULL_UP_TO / seeds)"""


def origin_share(generate: GenerateSection, family: str) -> OriginShare:
    return generate.origins_by_family.get(family, generate.origins)


def planned_attempts(generate: GenerateSection, family: str, num_seeds: int) -> int:
    """The number of new questions for a seed of a task with `num_seeds` seeds."""
    similar = origin_share(generate, family).similar
    if generate.per_seed is PerSeed.origins or similar == 0:
        return similar
    many = math.sqrt(FULL_UP_TO / max(num_seeds, 1))
    return max(similar, min(MOST_PER_SEED, round(MOST_PER_SEED * many)))
