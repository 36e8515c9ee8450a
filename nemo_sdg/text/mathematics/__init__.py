"""Mathematical answers: read into trees (`structure`), compared part by part (`equality`), leaves that are expressions
by math-verify in a child process (`expressions`, `math_worker`).
"""

from nemo_sdg.text.mathematics.equality import equal, is_expression, surely_equal, tight
from nemo_sdg.text.mathematics.named import named_apart
from nemo_sdg.text.mathematics.notation import are_equations, is_bracketed
