"""Finds the installed models that measure texts for the report."""

from nemo_sdg.errors import MissingDependencyError
from nemo_sdg.export.report.quality import Models, vendi_score


def models_at_hand() -> Models:
    """The models for fluency and diversity, if their packages are installed; each is loaded when it is first used."""
    from nemo_sdg.curate.embed import Embedder, require_embedder
    from nemo_sdg.curate.fluency import FluencyModel, at_hand
    from nemo_sdg.execution.processes import quiet_libraries

    quiet_libraries()
    models = Models(missing={})
    if why := at_hand():
        models.missing["fluency"] = why
    else:
        models.losses = FluencyModel().losses
    try:
        require_embedder(None)
    except MissingDependencyError as exc:
        models.missing["vendi"] = str(exc)
    else:
        models.vendi = lambda texts: vendi_score(Embedder(None).encode(texts))
    return models
