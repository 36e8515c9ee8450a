"""Control tokens of real chat templates are removed from a text, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nemo_sdg.text.control_tokens import CONTROL_TOKEN, neutralise

TOKENS = [
    "<|im_start|>", "<|im_end|>", "<|im_sep|>", "<|endoftext|>", "<|eot_id|>", "<|start_header_id|>",
    "<|end_header_id|>", "<|begin_of_text|>", "<|header_start|>", "<|eot|>", "<|python_tag|>", "<|start|>",
    "<|end|>", "<|channel|>", "<|message|>", "<|return|>", "<|constrain|>", "<|call|>", "<|user|>", "<|assistant|>",
    "<|system|>", "<|observation|>", "<|START_OF_TURN_TOKEN|>", "<|USER_TOKEN|>", "<|start_of_role|>", "<|im_user|>",
    "<|im_middle|>", "<|reserved_special_token_17|>", "<|fim_prefix|>", "<|endofprompt|>", "<｜User｜>",
    "<｜Assistant｜>", "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜hy_User｜>", "<s>", "</s>", "<bos>",
    "<eos>",
    "<pad>", "<unk>", "<start_of_turn>", "<end_of_turn>", "<extra_id_0>", "<extra_id_1>", "<SPECIAL_12>",
    "<unused7>", "<seed:bos>", "<seed:eos>", "<seed:think>", "</seed:think>", "<think>", "</think>", "<tool_call>",
    "</tool_call>", "<TOOLCALL>", "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]",
    "[AVAILABLE_TOOLS]", "[TOOL_CALLS]", "[TOOL_RESULTS]", "[THINK]", "[/THINK]", "[gMASK]", "<sop>", "[|user|]",
    "[|assistant|]", "[|endofturn|]", "◁think▷", "◁/think▷", "]~b]", "<|turn>", "<turn|>", "<BOS_TOKEN>",
]  # fmt: skip


@pytest.mark.parametrize("token", [token for token in TOKENS if token != "]~b]"])
def test_each_is_broken_and_stays_readable(token):
    clean = neutralise(f"before {token} after")
    assert token not in clean
    assert clean == f"before {token[0]} {token[1:]} after"


@pytest.mark.parametrize(
    "text",
    [
        "if a < b and c > d: x = [1, 2]",
        "<p>Hello <b>world</b></p> <span>x</span>",
        "|x| < |y| and f(x) |> g, or x <| f",
        "[Instruction] [INSTALL] the [MASKED] word; see [3], arr[i][j]",
        "<system> <user> <thinker> x<s",
        "$\\langle x | y \\rangle$ and 2 < 3|4",
    ],
)
def test_other_text_is_left_alone(text):
    assert neutralise(text) == text


@given(st.lists(st.sampled_from([*TOKENS, "word", " ", "<", "|", ">", "[", "/"]), max_size=8).map("".join))
def test_none_is_left_and_twice_is_once(text):
    once = neutralise(text)
    assert CONTROL_TOKEN.search(once) is None
    assert neutralise(once) == once
    assert once.replace(" ", "") == text.replace(" ", "")


def test_tokenizers_in_use_find_no_special_token_in_it():
    """Each added token of a tokenizer that can be had here."""
    transformers = pytest.importorskip("transformers")
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=byte_level())
    tokenizer.add_special_tokens({"additional_special_tokens": [token for token in TOKENS if token != "]~b]"]})
    special = set(tokenizer.all_special_ids)
    for token in tokenizer.additional_special_tokens:
        assert special & set(tokenizer.encode(f"a {token} b")), "as it is, it is one"
        assert not special & set(tokenizer.encode(neutralise(f"a {token} b")))


def byte_level():
    from tokenizers import Tokenizer, models, pre_tokenizers

    alphabet = {char: number for number, char in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    tokenizer = Tokenizer(models.BPE(vocab=alphabet, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return tokenizer
