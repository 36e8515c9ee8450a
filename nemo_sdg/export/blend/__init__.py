"""How much of what is drawn: shares of families and tasks (`family_shares`), epochs (`mixture`), bands of difficulty
(`difficulty`), beside the user's own datasets (`base_datasets`), in the trainers' forms (`write`). `mixture_grid` and
`fit_mixtures` search for a mixture by small trainings.
"""
