r"""What several rooms read and compare. Nothing else in the package reads a number, a box or a date of its own.

Answers (`text.answers`):

    same_answer("3,5", "3.5", kind="numeric", language="de")         ->  True
    same_answer("10^{-20}", "10^{-21}", kind="numeric")              ->  False
    same_answer("5 km", "5000 m", kind="numeric")                    ->  True
    same_answer("first", "1st", kind="short_text")                   ->  True
    surely_same(a, b, kind="numeric")                                ->  True | False | None (only math-verify can tell)
    group_answers(["5 km", "7", "5000 m"], same)                     ->  [[0, 2], [1]]

Numbers (`text.numbers`): `read_number` reads a whole answer or gives None; `find_numbers` finds every number of a
running text with its span. `Number` has value (Fraction), unit, percent, scale, places, ordinal.

    read_number("1.234,5", "de").value          ->  Fraction(2469, 2)
    read_number("2.5 million").value            ->  Fraction(2500000)
    read_number("4,6,14,15")                    ->  None   (a list)
    read_number("60%")                          ->  Number(value=60, percent=True, …)
    [f.number.value for f in find_numbers("Die Antwort lautet 3,5.", "de")]   ->  [Fraction(7, 2)]
    numbers_equal(a, b, question="What percentage?")   (60% is 60 where the question asks for a percentage)

Boxes (`text.boxes`):

    last_box(r"So \boxed{\frac{1}{2}}.")        ->  r"\frac{1}{2}"
    without_boxes(r"x = \boxed{5} m")           ->  "x = 5 m"

Dates (`text.dates`): read_date("4th of July, 1776") -> Date(1776, 7, 4); read_time("3:30 PM") -> (15, 30, 0).
Words (`text.words`): `normalize` of short answers, `similarity` of sentences. LaTeX (`text.latex`): `plain`, `fold`.
Tokens for n-grams and hashes stand in `text.normalize`.
"""
