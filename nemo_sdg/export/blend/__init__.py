"""The weights of the blend: shares of families and tasks (`family_shares`), epochs (`mixture`), difficulty bands
(`difficulty`), the user's own datasets (`base_datasets`); files for the trainers (`write`). `mixture_grid` and
`fit_mixtures` search for a mixture with small trainings.
"""
