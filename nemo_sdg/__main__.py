"""`python -m nemo_sdg` is the command `nemo-sdg`."""

from nemo_sdg.cli import main

main()
