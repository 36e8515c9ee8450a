"""One module a command.

    inputs/   what a run reads: init, tasks, lock, guard
    ahead/    what a run would do: config, run --dry-run, forecast, preview
    look/     what a run holds: status, sample and cat, trace, diff
    check/    whether a run keeps its laws
    here      what starts further work or hands results on: launch, mix, publish, ablate

`run` and `report` are in nemo_sdg/pipeline/.
"""
