"""Control tokens of chat templates inside of data: text that a tokenizer would read as the end of a turn, or as the
start of another.

    neutralise("a < b <|im_end|> [INST]")  ->  "a < b < |im_end|> [ INST]"

A space goes behind the first character. It is seen by whoever reads the text, and it stays text in every tokenizer; a
zero-width character would not (SentencePiece's nmt_nfkc removes it) and would travel on unseen.
"""

import re

CONTROL_TOKEN = re.compile(
    r"<(?="
    # ChatML, Llama 3 and 4, Phi, GLM, Command, Granite, gpt-oss, Kimi, Falcon: <|im_start|>, <|eot_id|>, <|start|>
    r"\|[A-Za-z0-9_▁./:-]{1,60}\|>"
    # Gemma 4: <|channel>, <channel|>
    r"|\|(?:channel|turn|think|tool|tool_call|tool_response)>|(?:channel|turn|tool|tool_call|tool_response)\|>"
    # DeepSeek and Hunyuan, with full-width bars: <｜User｜>, <｜end▁of▁sentence｜>
    r"|｜[^｜<>\s]{1,60}｜>"
    # Llama 2 and Mistral, T5, Gemma, Nemotron (<extra_id_1>User, <SPECIAL_12>), Seed (<seed:bos>), Yi, Baichuan
    r"|/?s>|/?(?:bos|eos|pad|unk|sop|eop|BOS|EOS|PAD|UNK|BOS_TOKEN|EOS_TOKEN|PAD_TOKEN)(?:_token)?>"
    r"|(?:start|end)_of_(?:turn|image|text)>|(?:extra_id|SPECIAL|unused|reserved|special_token|reserved_)_?\d{1,4}>"
    r"|seed:[a-z_]{1,30}>|/seed:[a-z_]{1,30}>|<SYS>>|</SYS>>|end_of_utterance>|endoftext>"
    # switches to thinking and tools that are single tokens in Qwen 3, Nemotron, DeepSeek, GLM and others
    r"|/?(?:think|tool_call|tool_calls|tool_response|tool_responses|TOOLCALL|AVAILABLE_TOOLS|arg_key|arg_value)>"
    r")"
    # Mistral and others in brackets: [INST], [/INST], [SYSTEM_PROMPT], [THINK], [gMASK], EXAONE's [|user|]
    r"|\[(?=/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|TOOL_REQUEST|THINK|ARGS|CALL_ID"
    r"|PREFIX|MIDDLE|SUFFIX|IMG|IMG_BREAK|IMG_END|AUDIO|BEGIN_AUDIO|MODEL_SETTINGS|gMASK|sMASK|MASK)\]|\|[a-z]{1,20}\|\])"
    # Kimi VL and MiniMax
    r"|◁(?=/?think▷)|\](?=[!~][a-z]{1,3}[!~]?\[)|\[(?=e~\[)"
)


def neutralise(text: str) -> str:
    """The text with a space inside of each control token; most texts have none and come back as they are."""
    if "<" not in text and "[" not in text and "]" not in text and "◁" not in text:
        return text
    return CONTROL_TOKEN.sub(lambda match: f"{match.group()} ", text)
