"""lm-eval's model interface over a proxy checkpoint, so that the arms are scored by lm-eval itself."""

import functools
from pathlib import Path
from typing import Any

from nemo_sdg.train.proxy import CHECKPOINT, ProxySection, build_model, single_process

MAX_NEW_TOKENS = 64


@functools.cache
def proxy_lm_class() -> Any:
    """The class, made when lm-eval is needed: importing it takes 0.4 s."""
    import torch
    from lm_eval.api.model import TemplateLM
    from safetensors.torch import load_file

    class ProxyLM(TemplateLM):
        def __init__(self, checkpoint: Path, size: ProxySection, backend: Any, vocab_size: int, eod: int) -> None:
            super().__init__()
            with single_process(size.threads):
                self.model = build_model(size, vocab_size)
            self.model.load_state_dict(load_file(checkpoint / CHECKPOINT), strict=False)
            self.model.eval()
            self.size, self.backend, self.eod = size, backend, eod

        @property
        def eot_token_id(self) -> int:
            return self.eod

        @property
        def max_length(self) -> int:
            return self.size.seq_length

        def tok_encode(self, string: str, add_special_tokens: bool | None = None, **_: Any) -> list[int]:
            return list(self.backend.encode(string, add_special_tokens=False).ids)

        def _logprobs(self, ids: list[int]) -> Any:
            """[sequence, vocabulary] log probabilities of the next token."""
            with torch.no_grad():
                tokens = torch.tensor([ids])
                logits = self.model(tokens, torch.arange(len(ids)).unsqueeze(0), None)
            return torch.log_softmax(logits[0].float(), dim=-1)

        def _loglikelihood_tokens(self, requests: list[Any], **_: Any) -> list[tuple[float, bool]]:
            results = []
            for _key, context, continuation in requests:
                ids = (context + continuation)[-(self.max_length + 1) :]
                continuation = continuation[-(len(ids) - 1) :]
                logprobs = self._logprobs(ids[:-1])[-len(continuation) :]
                target = torch.tensor(continuation)
                chosen = logprobs.gather(1, target.unsqueeze(1)).sum().item()
                results.append((chosen, bool((logprobs.argmax(dim=-1) == target).all())))
            return results

        def loglikelihood_rolling(self, requests: list[Any], disable_tqdm: bool = False) -> list[float]:
            totals = []
            for request in requests:
                ids = [self.eod, *self.tok_encode(request.args[0])]
                total = 0.0
                for first in range(0, len(ids) - 1, self.max_length):
                    window = ids[first : first + self.max_length + 1]
                    target = torch.tensor(window[1:])
                    total += self._logprobs(window[:-1]).gather(1, target.unsqueeze(1)).sum().item()
                totals.append(total)
            return totals

        def generate_until(self, requests: list[Any], disable_tqdm: bool = False) -> list[str]:
            texts = []
            for request in requests:
                context, settings = request.args
                stops = (
                    [settings["until"]] if isinstance(settings.get("until"), str) else list(settings.get("until") or [])
                )
                limit = min(int(settings.get("max_gen_toks", MAX_NEW_TOKENS)), MAX_NEW_TOKENS)
                ids = self.tok_encode(context) or [self.eod]
                made: list[int] = []
                text = ""
                while len(made) < limit:
                    following = int(self._logprobs((ids + made)[-self.max_length :])[-1].argmax())
                    if following == self.eod:
                        break
                    made.append(following)
                    text = self.backend.decode(made, skip_special_tokens=False)
                    if any(stop in text for stop in stops):
                        break
                for stop in stops:
                    text = text.split(stop)[0]
                texts.append(text)
            return texts

    return ProxyLM
