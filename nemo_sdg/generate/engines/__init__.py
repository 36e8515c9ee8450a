"""The engines that generate, one interface (base.py); each is imported when it is chosen."""

from nemo_sdg.config import EngineKind, EngineSection
from nemo_sdg.generate.engines.base import Engine


def open_engine(config: EngineSection) -> Engine:
    """The configured engine, not yet started. Raises EngineError when its model is missing, MissingDependencyError
    naming the extra.
    """
    if config.kind is EngineKind.llama:
        from nemo_sdg.generate.engines.llama import LlamaEngine

        return LlamaEngine(config)
    if config.kind is EngineKind.openai:
        from nemo_sdg.generate.engines.openai import OpenAIEngine

        return OpenAIEngine(config)
    if config.kind is EngineKind.batch:
        from nemo_sdg.generate.engines.batch import BatchEngine

        return BatchEngine(config)
    from nemo_sdg.generate.engines.trtllm import TensorRTLLMEngine

    return TensorRTLLMEngine(config)
