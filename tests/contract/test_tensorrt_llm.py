"""The TensorRT-LLM engine calls TensorRT-LLM by its recorded signatures: every argument has a parameter, every
attribute that is read exists.

TensorRT-LLM needs a GPU and is not available here. A fake is made from
tests/contract/data/tensorrt_llm_signatures.json: its constructors and methods bind their arguments with
inspect.Signature, and its objects have only the recorded attributes.
"""

import asyncio
import inspect
import json
import sys
import types
from pathlib import Path
from typing import ClassVar

import pytest
from huggingface_hub import hf_hub_download
from transformers import PreTrainedTokenizerBase

from nemo_sdg.config import EngineKind, EngineSection, SamplingSection, Structured
from nemo_sdg.errors import EngineError, MissingDependencyError
from nemo_sdg.generate.engines import open_engine
from nemo_sdg.generate.engines.base import TransportError
from nemo_sdg.generate.engines.sent import prepare
from nemo_sdg.generate.requests import Request

RECORD = json.loads((Path(__file__).parent / "data" / "tensorrt_llm_signatures.json").read_text())
SCHEMA = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}


def signature(name):
    kinds = inspect.Parameter
    return inspect.Signature(
        [
            kinds(p["name"], getattr(kinds, p["kind"]), default=p.get("default", kinds.empty))
            for p in RECORD["signatures"][name]["parameters"]
        ]
    )


class Bound:
    """An object whose constructor has a recorded signature; it keeps its arguments."""

    name = ""

    def __init__(self, *args, **kwargs):
        self.arguments = signature(f"{self.name}.__init__").bind(self, *args, **kwargs).arguments


def bound_class(name):
    return type(name, (Bound,), {"name": name})


class RecordedAttributes:
    def __init__(self, kind, **values):
        assert set(values) <= set(RECORD["attributes"][kind])
        self.__dict__.update(values)


class RequestError(RuntimeError):
    pass


class Tokenizer:
    """Words are tokens. The arguments that the wrapper passes on are held to transformers' own signatures."""

    def encode(self, text, *args, **kwargs):
        signature("TransformersTokenizer.encode").bind(self, text, *args, **kwargs)
        inspect.signature(PreTrainedTokenizerBase.encode).bind(self, text, *args, **kwargs)
        return list(range(len(text.split())))

    def apply_chat_template(self, conversation, *args, **kwargs):
        signature("TransformersTokenizer.apply_chat_template").bind(self, conversation, *args, **kwargs)
        inspect.signature(PreTrainedTokenizerBase.apply_chat_template).bind(self, conversation, *args, **kwargs)
        assert kwargs["tokenize"] is False
        return " ".join(message["content"] for message in conversation)


class Output(RecordedAttributes):
    def __init__(self, finish_reason, error=None, hangs=False):
        made = RecordedAttributes(
            "CompletionOutput", text='{"answer": "4"}', token_ids=[1, 2, 3], finish_reason=finish_reason
        )
        super().__init__("RequestOutput", outputs=[made])
        self._error, self._hangs, self._aborted = error, hangs, False

    async def aresult(self, *args, **kwargs):
        signature("RequestOutput.aresult").bind(self, *args, **kwargs)
        if self._hangs:
            await asyncio.Event().wait()
        if self._error:
            raise self._error
        return self

    def abort(self, *args, **kwargs):
        signature("RequestOutput.abort").bind(self, *args, **kwargs)
        self._aborted = True


class LLM(Bound):
    name = "LLM"
    behaviour: ClassVar[dict] = {}
    made: ClassVar[list] = []

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        assert self.arguments["guided_decoding_backend"] in RECORD["values"]["LLM.guided_decoding_backend"]
        self.tokenizer = Tokenizer()
        self.requests, self.outputs, self.is_shut_down = [], [], False
        LLM.made.append(self)

    def generate_async(self, *args, **kwargs):
        self.requests.append(signature("LLM.generate_async").bind(self, *args, **kwargs).arguments)
        if error := self.behaviour.get("refuses"):
            raise error
        self.outputs.append(
            Output(
                self.behaviour.get("finish_reason", "stop"),
                self.behaviour.get("error"),
                self.behaviour.get("hangs", False),
            )
        )
        return self.outputs[-1]

    def shutdown(self, *args, **kwargs):
        signature("LLM.shutdown").bind(self, *args, **kwargs)
        self.is_shut_down = True


@pytest.fixture
def tensorrt_llm(monkeypatch):
    """The stand-in under the recorded module names, with the recorded exports only."""
    known = {
        "LLM": LLM,
        "RequestError": RequestError,
        **{name: bound_class(name) for name in ("SamplingParams", "GuidedDecodingParams", "KvCacheConfig")},
    }
    for module, names in RECORD["exports"].items():
        stand_in = types.ModuleType(module)
        for name in names:
            setattr(stand_in, name, known.get(name))
        monkeypatch.setitem(sys.modules, module, stand_in)
    LLM.behaviour, LLM.made = {}, []

    def no_hub(repo_id, filename, **kwargs):
        inspect.signature(hf_hub_download).bind(repo_id, filename, **kwargs)
        raise OSError("the hub cannot be reached")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", no_hub)
    return LLM


def section(**settings):
    return EngineSection(kind=EngineKind.trtllm, model="Qwen/Qwen3-30B-A3B", context_length=256, **settings)


async def ask(request, **settings):
    config = section(**settings)
    engine = open_engine(config)
    await engine.start()
    try:
        return await engine.complete(prepare(request, config))
    finally:
        await engine.close()


async def test_every_argument_has_a_parameter(tensorrt_llm):
    options = {
        "tensor_parallel_size": 2,
        "max_num_tokens": 16384,
        "kv_cache_config": {"free_gpu_memory_fraction": 0.85},
    }
    request = Request(
        messages=[{"role": "user", "content": "what is 2 + 2"}],
        schema=SCHEMA,
        temperature=0.7,
        top_p=0.9,
        max_tokens=64,
        seed=5,
        stop=["###"],
    )
    completion = await ask(request, options=options)
    assert (completion.text, completion.finish_reason) == ('{"answer": "4"}', "stop")
    assert (completion.prompt_tokens, completion.completion_tokens) == (5, 3)
    llm = tensorrt_llm.made[0]
    assert llm.arguments["tensor_parallel_size"] == 2
    assert llm.arguments["enable_chunked_prefill"] is True
    assert llm.arguments["max_seq_len"] == 256
    assert llm.arguments["kv_cache_config"].arguments["enable_block_reuse"] is True
    assert llm.arguments["kv_cache_config"].arguments["free_gpu_memory_fraction"] == 0.85
    sampling = llm.requests[0]["sampling_params"].arguments
    assert {key: sampling[key] for key in ("max_tokens", "temperature", "top_p", "seed", "stop")} == {
        "max_tokens": 64,
        "temperature": 0.7,
        "top_p": 0.9,
        "seed": 5,
        "stop": ["###"],
    }
    assert sampling["guided_decoding"].arguments["json"] == SCHEMA
    assert llm.requests[0]["inputs"] == [0, 1, 2, 3, 4]
    assert llm.is_shut_down


async def test_base_models_and_unguided_outputs(tensorrt_llm):
    await ask(Request(prompt="once upon a time", schema=SCHEMA), structured=Structured.none)
    llm = tensorrt_llm.made[0]
    assert llm.arguments["guided_decoding_backend"] is None
    assert llm.requests[0]["sampling_params"].arguments["guided_decoding"] is None


@pytest.mark.parametrize(
    ("config", "reuse"),
    [
        ({"model_type": "qwen3_moe", "num_hidden_layers": 48}, True),
        ({"model_type": "nemotron_h", "hybrid_override_pattern": "M-M*-"}, False),
        ({"model_type": "jamba"}, False),
        ({"model_type": "qwen3_next", "layer_types": ["linear_attention", "full_attention"]}, False),
        ({"model_type": "gpt_oss", "layer_types": ["sliding_attention", "full_attention"]}, True),
        ({"model_type": "wrapper", "text_config": {"model_type": "granitemoehybrid"}}, False),
    ],
)
async def test_a_hybrid_model_is_not_asked_for_block_reuse(tensorrt_llm, tmp_path, config, reuse):
    (tmp_path / "config.json").write_text(json.dumps(config))
    lines = []
    engine = open_engine(EngineSection(kind=EngineKind.trtllm, model=str(tmp_path)))
    engine.notify = lines.append
    await engine.start()
    await engine.close()
    assert tensorrt_llm.made[0].arguments["kv_cache_config"].arguments["enable_block_reuse"] is reuse
    assert len(lines) == (0 if reuse else 1)


async def test_unset_sampling_is_what_the_models_card_says(tensorrt_llm, tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "qwen3"}')
    (tmp_path / "generation_config.json").write_text(
        '{"temperature": 0.6, "top_p": 0.95, "top_k": 20, "do_sample": true}'
    )
    config = EngineSection(
        kind=EngineKind.trtllm, model=str(tmp_path), sampling=SamplingSection(temperature=0.9, min_p=0.05)
    )
    engine = open_engine(config)
    await engine.start()
    await engine.complete(prepare(Request(prompt="x"), config))
    await engine.close()
    sampling = tensorrt_llm.made[0].requests[0]["sampling_params"].arguments
    sent = {name: sampling.get(name) for name in ("temperature", "top_p", "top_k", "min_p", "presence_penalty")}
    assert sent == {"temperature": 0.9, "top_p": 0.95, "top_k": 20, "min_p": 0.05, "presence_penalty": None}


async def test_an_unknown_option_is_one_clear_line(tensorrt_llm):
    with pytest.raises(EngineError, match="no_such_option") as caught:
        await ask(Request(prompt="x"), options={"no_such_option": 1})
    assert "\n" not in str(caught.value)


async def test_a_prompt_that_fills_the_context_is_refused_and_not_sent(tensorrt_llm):
    completion = await ask(Request(prompt="word " * 256))
    assert (completion.finish_reason, completion.prompt_tokens) == ("refused", 256)
    assert tensorrt_llm.made[0].requests == []
    completion = await ask(Request(prompt="word " * 250, max_tokens=100))
    assert tensorrt_llm.made[1].requests[0]["sampling_params"].arguments["max_tokens"] == 6


@pytest.mark.parametrize("reason", RECORD["values"]["CompletionOutput.finish_reason"])
async def test_every_finish_reason_is_read(tensorrt_llm, reason):
    tensorrt_llm.behaviour = {"finish_reason": reason}
    if reason in ("stop", "length"):
        assert (await ask(Request(prompt="x"))).finish_reason == reason
    else:
        with pytest.raises(TransportError):
            await ask(Request(prompt="x"))


async def test_a_failed_request_is_no_refusal(tensorrt_llm):
    tensorrt_llm.behaviour = {"error": RequestError("worker\ndied")}
    with pytest.raises(TransportError, match="worker died"):
        await ask(Request(prompt="x"))


async def test_an_argument_that_the_engine_refuses_is_a_refusal(tensorrt_llm):
    tensorrt_llm.behaviour = {"refuses": ValueError("should not exceed max_num_tokens")}
    assert (await ask(Request(prompt="x"))).finish_reason == "refused"


async def test_an_engine_that_shuts_down_ends_the_run(tensorrt_llm):
    tensorrt_llm.behaviour = {"refuses": RuntimeError("LLM is shutting down")}
    with pytest.raises(EngineError, match="shutting down") as caught:
        await ask(Request(prompt="x"))
    assert not isinstance(caught.value, TransportError)


async def test_a_request_that_hangs_is_aborted(tensorrt_llm):
    tensorrt_llm.behaviour = {"hangs": True}
    with pytest.raises(TransportError, match=r"no answer within 0\.01 seconds"):
        await ask(Request(prompt="x"), request_timeout=0.01)
    assert tensorrt_llm.made[0].outputs[0]._aborted


async def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorrt_llm", None)
    with pytest.raises(MissingDependencyError, match=r"nemo-sdg\[trtllm\]"):
        await ask(Request(prompt="x"))


def test_a_folder_is_known_by_its_content_and_not_by_its_place(tmp_path):
    for name in ("a", "b"):
        folder = tmp_path / name / "model"
        folder.mkdir(parents=True)
        (folder / "config.json").write_text('{"hidden_size": 8}')
        (folder / "model.safetensors").write_bytes(b"1234")
    identities = [
        open_engine(EngineSection(kind=EngineKind.trtllm, model=str(tmp_path / name / "model"))).model
        for name in ("a", "b")
    ]
    assert identities[0] == identities[1]
    assert str(tmp_path) not in identities[0]
    (tmp_path / "b" / "model" / "model.safetensors").write_bytes(b"12345")
    assert (
        open_engine(EngineSection(kind=EngineKind.trtllm, model=str(tmp_path / "b" / "model"))).model != identities[0]
    )
